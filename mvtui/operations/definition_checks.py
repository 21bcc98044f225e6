"""What the host says of a definition."""

from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM, Snapshot


async def check_fields(host: Host, microvm: MicroVM, definition: Definition, others: Snapshot) -> tuple[Finding, ...]:  # noqa: ARG001
    """Nothing yet."""
    return ()
