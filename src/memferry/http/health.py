"""Health and readiness of the service; no token is needed, and a wrong one is ignored."""

from dataclasses import asdict
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Unavailable
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.operation.readiness import Readiness
from memferry.wire.health import Health, Ready

_operation = partial(Operation, tag="health")


class HealthEndpoints:
    """The addresses of health; two of them, since clients use either."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def operations(self) -> list[Operation]:
        """All addresses of health."""
        return [
            _operation("GET /api/health", self.health, Health),
            _operation("GET /health", self.health, Health),
            _operation("GET /api/health/ready", self.ready, Ready, errors=(503,)),
        ]

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes it
        """The process answers. Whether it can work, `/api/health/ready` tells."""
        return answer_json(Health(ok=True))

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - same
        """Whether the database, the object store and a worker are there and belong together."""
        report = await self._readiness.report()
        body = {"ready": report.ready, **asdict(report)}
        if report.ready:
            return answer_json(body, headers={"Cache-Control": "no-store"})
        body |= {"error": f"not ready: {report.faults}", "code": Unavailable.code}
        return answer_json(body, 503, {"Retry-After": "5", "Cache-Control": "no-store"})
