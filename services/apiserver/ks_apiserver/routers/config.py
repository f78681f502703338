"""The section `router` of kubesphere.yaml."""

from servicekit.section import Section


class RouterSection(Section):
    """The ingress gateways of namespaces."""

    image: str = "kubesphere/nginx-ingress-controller:v1.3.1"
    """Of an ingress-nginx controller, 1.3.1 or newer."""
