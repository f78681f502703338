"""ks-console: the web console, which stands between browsers and the gateway."""

from ks_console.assets import Assets
from ks_console.browser import Forms, Proxies
from ks_console.config import ConsoleConfig
from ks_console.gateway import Gateway
from ks_console.pages import SECURITY_HEADERS, Pages
from ks_console.site import Site, routes
from servicekit.app import Service, service


def build(config: ConsoleConfig) -> Service:
    """The service with its configuration."""
    console = config.console
    assets = Assets()
    gateway = Gateway(console.gateway_url, timeout=console.timeout)
    proxies = Proxies(console.trusted_proxies, console.public_url)
    forms = Forms(console.csrf_secret.get_secret_value(), proxies)
    pages = Pages(console.title, assets, forms, proxies)
    site = Site(gateway, pages, forms, proxies)
    return service(
        "ks-console", config, needs=[gateway], groups=[routes(site, assets)], headers=SECURITY_HEADERS
    )
