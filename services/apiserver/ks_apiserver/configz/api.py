"""GET /kapis/v1alpha1/configz."""

from servicekit.config import Config
from servicekit.group import Group


def group(config: Config) -> Group:
    """The route, for anybody: the console asks before somebody signs in."""
    routes = Group("config", "v1alpha1", prefix="/kapis/v1alpha1")

    @routes.get("/configz", public=True)
    async def get_configz() -> dict[str, bool]:
        """Each component by name, and whether it is configured; no addresses, no secrets."""
        return {
            "alerting": config.alerting.enabled,
            "devops": config.devops.enabled,
            "kubernetes": True,
            "ldap": config.ldap.enabled,
            "logging": config.logging.enabled,
            "monitoring": config.monitoring.enabled,
            "mysql": config.mysql.enabled,
            "notification": config.notification.enabled,
            "openpitrix": config.openpitrix.enabled,
            "redis": config.redis.enabled,
            "s3": config.s3.enabled,
            "servicemesh": config.servicemesh.enabled,
            "sonarqube": config.sonarqube.enabled,
        }

    return routes
