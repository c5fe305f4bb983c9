"""What HTTP is served with: its addresses, its limits and its rules, handed in by whoever starts the server."""

from typing import Protocol


class Serving(Protocol):
    """The settings that this package reads, and no others."""

    @property
    def host(self) -> str:
        """Address to listen on."""

    @property
    def port(self) -> int:
        """Port to listen on."""

    @property
    def public_url(self) -> str:
        """Address by which others reach this server, if it is another; else empty."""

    @property
    def root_path(self) -> str:
        """Path under which this server lies on its host; empty for the root."""

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Host names that are answered."""

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Other sites that may post here."""

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies travel over HTTPS only."""

    @property
    def body_bytes(self) -> int:
        """Of a request's body, at most."""

    @property
    def upload_bytes(self) -> int:
        """Of a request's body that brings a table."""

    @property
    def head_bytes(self) -> int:
        """Of a request's head, at most."""

    @property
    def receive_seconds(self) -> float:
        """To send a request in, at most."""

    @property
    def visitor_rate(self) -> float:
        """Requests a second of one visitor, or on one run."""

    @property
    def address_rate(self) -> float:
        """Requests a second from one address."""

    @property
    def static_rate(self) -> float:
        """Static files a second to one address."""
