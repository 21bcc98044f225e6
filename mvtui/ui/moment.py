"""An instant as people say it. Pure."""

from datetime import datetime, timedelta


def moment(instant: datetime, now: datetime) -> str:
    """The instant in local time: `00:51` of the last 24 hours, else with its date."""
    local = instant.astimezone(now.tzinfo)
    if now - instant < timedelta(hours=24):
        return f"{local:%H:%M}"
    return f"{local:%d %b %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"
