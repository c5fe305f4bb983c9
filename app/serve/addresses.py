"""The address at which others reach this server: configured, or the machine's own in its network. Never what a
request says about it; what it says must be one of the names that are served.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.serve.given import Serving

if sys.platform == "linux":
    from fcntl import ioctl

EVERYWHERE = ("0.0.0.0", "::", "")
SIOCGIFADDR = 0x8915  # Linux; elsewhere the host's name leads to its addresses


def base_url(settings: Serving) -> str:
    """http://192.168.1.20:8000, without a slash at its end; with the path under which it lies, if there is one."""
    root = settings.root_path
    if settings.public_url:
        return settings.public_url.rstrip("/").removesuffix(root) + root
    host = lan_address() if settings.host in EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}{root}" if ":" in host else f"http://{host}:{settings.port}{root}"


def is_reachable(settings: Serving) -> bool:
    """Whether others can open `base_url`: not if this server listens to its own machine alone."""
    if settings.public_url:
        return True
    return not _is_loopback(lan_address() if settings.host in EVERYWHERE else settings.host)


class Hosts:
    """Which host names are answered: those of the settings; without any, all, but for a server that listens to its own
    machine alone. There a name that leads to it from elsewhere is another site's, which would read what is here.
    """

    def __init__(self, settings: Serving) -> None:
        named = {name.lower() for name in settings.allowed_hosts}
        public = urlsplit(settings.public_url).hostname
        self._all = "*" in named or not (named or _is_loopback(settings.host))
        self._named = named | ({public} if public else set())
        self._loopback = _is_loopback(settings.host)

    def welcome(self, host: str) -> bool:
        """Whether a request for this host, with or without a port, is answered."""
        if self._all:
            return True
        name = host.lower() if host.endswith("]") else host.lower().rsplit(":", 1)[0]
        return name in self._named or (self._loopback and _is_loopback(name.strip("[]")))

    @property
    def refusal(self) -> str:
        """What is said of any other."""
        return (
            "This host name is not served here. If it is this server's own, its keeper names it in "
            "PLAYGROUND_ALLOWED_HOSTS, or the whole address in PLAYGROUND_PUBLIC_URL."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def lan_address() -> str:
    """This machine's address in its network now; the loopback address if it has none.

    A UDP socket is only told where it would send to: nothing is sent, and no name is asked for. Where no way leads
    out, as behind an access point of the school's own, the addresses of the machine's own interfaces are looked at.
    """
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
                return str(probe.getsockname()[0])
            except OSError:
                continue
    return next(_of_interfaces(), "127.0.0.1")


def _of_interfaces() -> Iterator[str]:
    """The IPv4 addresses of this machine that are not its loopback's."""
    found: list[str] = []
    with suppress(OSError):
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    if sys.platform == "linux":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            for _, name in socket.if_nameindex():
                with suppress(OSError):
                    answer = ioctl(asked.fileno(), SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                    found.append(socket.inet_ntoa(answer[20:24]))
    yield from (address for address in found if not ip_address(address).is_loopback)
