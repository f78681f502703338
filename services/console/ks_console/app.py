"""ks-console: the web console, which stands between browsers and the gateway."""

from ks_console.application import SECURITY_HEADERS, Application
from ks_console.assets import Assets
from ks_console.browser import Cookies, Forms, Proxies
from ks_console.config import ConsoleConfig
from ks_console.delays import Delays
from ks_console.gateway import Gateway
from ks_console.proxy import Proxy
from ks_console.runtime import Runtime
from ks_console.session import SessionRoutes
from ks_console.tunnel import Tunnel
from servicekit.app import Service, service


def build(config: ConsoleConfig) -> Service:
    """The service with its configuration."""
    console = config.console
    gateway = Gateway(console.gateway_url, timeout=console.timeout)
    proxies = Proxies(console.trusted_proxies, console.public_url)
    forms = Forms(console.csrf_secret.get_secret_value(), proxies)
    cookies = Cookies(proxies)
    sessions = SessionRoutes(gateway, forms, cookies, proxies, Delays(console.login_delay))
    proxy = Proxy(gateway, forms, proxies, Tunnel(gateway, proxies))
    assets = Assets(console.static_dir)
    application = Application(console.title, assets)
    return service(
        "ks-console",
        config,
        needs=[gateway],
        groups=[sessions.group(), Runtime(console, gateway).group()],
        plain=[*proxy.routes(), *assets.routes(), *application.routes()],
        headers=SECURITY_HEADERS,
    )
