"""The address at which others reach this server: configured, or the machine's own in its network. Never what a
request says about it.
"""

import socket
from functools import lru_cache

from app.settings import Settings

EVERYWHERE = ("0.0.0.0", "::", "")


def base_url(settings: Settings) -> str:
    """http://192.168.1.20:8000, without a slash at its end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = lan_address() if settings.host in EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


@lru_cache(maxsize=1)
def lan_address() -> str:
    """This machine's address in its network; the loopback address if it has none.

    A UDP socket is only told where it would send to: nothing is sent, and no name is asked for.
    """
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
                return str(probe.getsockname()[0])
            except OSError:
                continue
    return "127.0.0.1"
