"""The routes of resources.kubesphere.io/v1alpha2 that ask registries and repositories."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from ks_apiserver.git.remote import Remotes
from ks_apiserver.registry.client import Credentials
from ks_apiserver.registry.images import Images
from ks_apiserver.resources.access import GROUP, VERSION
from servicekit.group import Group
from servicekit.identity import Identity

Address = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Word = Annotated[str, StringConstraints(max_length=1024)]


class RegistryLogin(BaseModel):
    """A registry, and who one is there."""

    username: Word
    password: SecretStr
    serverhost: Address


class SecretReference(BaseModel):
    """A secret of a namespace."""

    name: Word = ""
    namespace: Word = ""


class Repository(BaseModel):
    """A repository of git, and the secret that holds who one is there."""

    model_config = ConfigDict(populate_by_name=True)

    remote_url: Address = Field(alias="remoteUrl")
    secret_ref: SecretReference | None = Field(default=None, alias="secretRef")


def group(images: Images, remotes: Remotes) -> Group:
    """For anybody who signed in: nothing of the cluster is used but secrets that Kubernetes lets one read."""
    routes = Group(GROUP, VERSION)

    @routes.post("/registry/verify")
    async def verify_registry(caller: Identity, body: RegistryLogin) -> None:
        """Checks a user name and password at a registry."""
        await images.verify(body.serverhost, Credentials(body.username, body.password.get_secret_value()))

    @routes.get("/registry/blob")
    async def get_image(
        caller: Identity, image: str = "", namespace: str = "", secret: str = ""
    ) -> dict[str, Any]:
        """What an image is made of."""
        return await images.details(caller, image, namespace, secret)

    @routes.post("/git/verify")
    async def verify_repository(caller: Identity, body: Repository) -> None:
        """Checks that a repository can be read."""
        reference = body.secret_ref or SecretReference()
        await remotes.verify(caller, body.remote_url, reference.namespace, reference.name)

    return routes
