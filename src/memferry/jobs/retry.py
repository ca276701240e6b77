"""When a failed attempt is repeated, and how often."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Pauses that grow with each failure, up to a number of attempts; seconds."""

    attempts: int
    first_pause: float
    growth: float = 3
    """With a first pause of 2 s and five attempts the pauses take up to 80 s in all."""
    longest_pause: float = 600.0

    def choose_pause(self, failures: int) -> float:
        """The pause after that many failures, by chance at most halved: retries spread out."""
        longest = min(self.first_pause * self.growth ** (failures - 1), self.longest_pause)
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads retries

    def allows_another(self, failures: int) -> bool:
        """Whether an attempt may follow that many failures."""
        return failures < self.attempts
