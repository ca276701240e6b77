"""The service itself: its health, its limits, its keys, and who is asking."""

from memferry.client.calls import Call, make_path
from memferry.client.flows import send
from memferry.client.methods import FlowMethod
from memferry.client.readiness import ReadinessAnswer, decode_readiness
from memferry.client.steps import Flow, TryStep
from memferry.wire.health import Health
from memferry.wire.limits import Limits
from memferry.wire.manifest import VerificationKeys
from memferry.wire.tokens import Identity


class ServiceMethods:
    """What is asked of the service, and not of one of its parts."""

    @FlowMethod
    def get_health(self) -> Flow[Health]:
        """Whether the process answers; needs no token.

        >>> client.get_health().ok
        True
        """
        return send(Call("GET", make_path("health")), Health)

    @FlowMethod
    def get_readiness(self) -> Flow[ReadinessAnswer]:
        """Whether database, object store and a worker are there; needs no token, and does not wait.

        >>> readiness = client.get_readiness()
        >>> readiness.ready or readiness.error is not None
        True
        """
        call = Call("GET", make_path("health", "ready"))
        return decode_readiness((yield TryStep(call)))

    @FlowMethod
    def get_me(self) -> Flow[Identity]:
        """The token of this client with its rights, and the tenant it speaks for.

        >>> client.get_me().user.name
        'examples'
        """
        return send(Call("GET", make_path("auth", "me")), Identity)

    @FlowMethod
    def get_limits(self) -> Flow[Limits]:
        """Each limit of the tenant with its use.

        >>> client.get_limits().webhooks.used
        0
        """
        return send(Call("GET", make_path("limits")), Limits)

    @FlowMethod
    def get_keys(self) -> Flow[VerificationKeys]:
        """The public keys by which manifests of this service are verified; needs no token.

        >>> client.get_keys().keys[0].algorithm
        'Ed25519'
        """
        return send(Call("GET", make_path("keys")), VerificationKeys)
