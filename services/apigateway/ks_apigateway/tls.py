"""TLS on both sides: the certificate that clients see, read again when its files change, and the authorities
that upstreams are verified by.
"""

import logging
import ssl

from ks_apigateway.config import GatewaySection
from servicekit.config import ConfigError

log = logging.getLogger(__name__)


def context(gateway: GatewaySection) -> ssl.SSLContext | None:
    """TLS for clients, where it is configured. Raises ConfigError when its files cannot be used."""
    if not gateway.tls_listen or gateway.tls_cert_file is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(gateway.tls_cert_file, gateway.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"gateway.tlsCertFile: {gateway.tls_cert_file}: {error}") from error
    return made


def towards_upstreams(gateway: GatewaySection) -> ssl.SSLContext | None:
    """What verifies upstreams with https; None for the system's authorities. Raises ConfigError when the file
    cannot be used.
    """
    if gateway.upstreams_ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(gateway.upstreams_ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"gateway.upstreamsCaFile: {gateway.upstreams_ca_file}: {error}") from error


def renew(live: ssl.SSLContext, gateway: GatewaySection) -> bool:
    """Has `live` show the certificate as it is now from the next connection on; says in the log why it
    cannot, and then returns False and leaves it.
    """
    try:
        context(gateway)  # into one that nobody uses: half a change would spoil the one in use
        assert gateway.tls_cert_file is not None
        live.load_cert_chain(gateway.tls_cert_file, gateway.tls_key_file)
    except (ConfigError, OSError, ssl.SSLError) as error:
        log.error("the certificate stays as it was: %s", error)
        return False
    log.info("the certificate of %s is in effect", gateway.tls_cert_file)
    return True
