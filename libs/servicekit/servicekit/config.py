"""The configuration of a service: one kubesphere.yaml, environment variables over it, flags over both.

    file         --config, else /etc/kubesphere/kubesphere.yaml, else ./kubesphere.yaml
    environment  KS_<SECTION>_<KEY>, such as KS_LDAP_MANAGER_DN
    flags        --set section.key=value, --listen host:port

Keys are matched as viper matches them, without regard to case. What is wrong is reported with the key and
where its value came from. A section that nobody knows is only worth a warning: the file is shared by all
services.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

from pydantic import PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from servicekit.section import Section
from servicekit.sections import (
    AuthenticationConfig,
    DevopsConfig,
    EndpointConfig,
    KubernetesConfig,
    KubesphereConfig,
    LdapConfig,
    LogConfig,
    LoggingConfig,
    MonitoringConfig,
    MysqlConfig,
    OpenpitrixConfig,
    RedisConfig,
    S3Config,
    ServerConfig,
    ServicemeshConfig,
    SonarqubeConfig,
    TracingConfig,
)
from servicekit.sources import ConfigError, Layers, read_environment, read_file, read_flags

__all__ = ["Config", "ConfigError", "add_arguments", "load", "load_options"]


class Config(Section):
    """What every service understands; a subclass with one more field adds a service's own section."""

    ldap: LdapConfig = LdapConfig()
    redis: RedisConfig = RedisConfig()
    mysql: MysqlConfig = MysqlConfig()
    kubernetes: KubernetesConfig = KubernetesConfig()
    monitoring: MonitoringConfig = MonitoringConfig()
    logging: LoggingConfig = LoggingConfig()
    devops: DevopsConfig = DevopsConfig()
    sonarqube: SonarqubeConfig = SonarqubeConfig()
    servicemesh: ServicemeshConfig = ServicemeshConfig()
    s3: S3Config = S3Config()
    openpitrix: OpenpitrixConfig = OpenpitrixConfig()
    alerting: EndpointConfig = EndpointConfig()
    notification: EndpointConfig = EndpointConfig()
    kubesphere: KubesphereConfig = KubesphereConfig()

    server: ServerConfig = ServerConfig()
    authentication: AuthenticationConfig = AuthenticationConfig()
    log: LogConfig = LogConfig()
    tracing: TracingConfig = TracingConfig()

    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd about the sources, but no error."""
        return self._warnings

    def with_warnings(self, warnings: Sequence[str]) -> Self:
        self._warnings = tuple(warnings)
        return self


C = TypeVar("C", bound=Config)

LISTEN = {"--listen": ("server.listen", "host:port to listen at")}


class _Shorthand(argparse.Action):
    """Takes the flag's value as that of the key `const`, as --set does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.settings = [*namespace.settings, f"{self.const}={values}"]


def add_arguments(
    parser: argparse.ArgumentParser, shorthands: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Adds the flags that say where the configuration comes from.

    `shorthands` are more flags, each with the key that it sets and its help.
    """
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration; by default kubesphere.yaml in /etc/kubesphere or here",
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="one value, over the file and the environment; may be repeated",
    )
    for flag, (key, about) in {**LISTEN, **(shorthands or {})}.items():
        parser.add_argument(
            flag, action=_Shorthand, const=key, metavar="VALUE", help=f"{about} (short for --set {key}=...)"
        )


def load(cls: type[C], argv: Sequence[str], environ: Mapping[str, str]) -> C:
    """The configuration from `argv` (without the program's name), `environ` and the file. Raises
    ConfigError."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    return load_options(cls, parser.parse_args(argv), environ)


def load_options(cls: type[C], options: argparse.Namespace, environ: Mapping[str, str]) -> C:
    """As `load`, from flags that are parsed already (see `add_arguments`)."""
    layers = Layers(cls)
    read_file(layers, options.config)
    read_environment(layers, environ)
    read_flags(layers, options.settings)
    try:
        return cls.model_validate(layers.nested()).with_warnings(layers.warnings)
    except ValidationError as error:
        raise _explain(layers, error) from None


def _explain(layers: Layers, error: ValidationError) -> ConfigError:
    problems = error.errors(include_url=False)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(_describe(layers, problems[0]) + more)


def _describe(layers: Layers, problem: ErrorDetails) -> str:
    path = tuple(str(part) for part in problem["loc"])
    if problem["type"] == "secret_file":
        path = (*path, str(problem.get("ctx", {}).get("key", "")))
    what = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    source = layers.source_of(path)
    return f"{'.'.join(path)}: {what}" + (f" ({source})" if source else "")
