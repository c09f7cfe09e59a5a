"""How the server reaches OpenStack Identity to have tokens verified."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KeystoneConfig:
    """The account with which tokens are verified, and where; names are those of keystonemiddleware's ``[keystone_authtoken]``.

    ``www_authenticate_uri`` is what clients are told, without it ``auth_url``. ``token_cache_time`` is for how many seconds a
    verified token is not verified again, -1 for none.
    """

    auth_url: str
    username: str
    password: str
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"
    www_authenticate_uri: str | None = None
    interface: str = "internal"
    region_name: str | None = None
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    insecure: bool = False
    token_cache_time: int = 60
    http_connect_timeout: int = 10
    service_token_roles: str = "service"  # noqa: S105 - the name of a role

    def __repr__(self) -> str:
        """Tell where, not with which password."""
        return f"KeystoneConfig(auth_url={self.auth_url!r}, username={self.username!r})"

    @property
    def challenge(self) -> str:
        """What ``WWW-Authenticate`` says to a caller without a valid token."""
        return f'Keystone uri="{self.www_authenticate_uri or self.auth_url}"'
