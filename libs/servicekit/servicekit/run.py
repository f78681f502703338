"""The command of a service: `ks-x [serve]`, `ks-x openapi`, `ks-x check-config`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from servicekit import logs
from servicekit.app import Service, version_of
from servicekit.config import Config, ConfigError, add_arguments, load_options
from servicekit.serving import ListenError
from servicekit.serving import serve as serve_alone

C = TypeVar("C", bound=Config)


@dataclass(frozen=True, slots=True)
class Command(Generic[C]):
    """A command of one service alone. `run` gives the exit status; `arguments` adds flags of its own."""

    help: str
    run: Callable[[C, argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None


S = TypeVar("S", bound=Service)

EPILOG = """\
examples:
  {name} --config kubesphere.yaml                 serve with this configuration
  {name} --listen 127.0.0.1:8080 --set log.format=text
  {name} check-config --config kubesphere.yaml    say what is wrong, or what is in effect
  {name} openapi                                  print the OpenAPI document

Every value comes from a flag, else from the environment (KS_<SECTION>_<KEY>, such as KS_REDIS_HOST), else
from the file, else from its default."""


def main(
    name: str,
    config_class: type[C],
    build: Callable[[C], S],
    argv: Sequence[str] | None = None,
    *,
    serve: Callable[[S, str | None], None] = serve_alone,
    shorthands: Mapping[str, tuple[str, str]] | None = None,
    commands: Mapping[str, Command[C]] | None = None,
) -> None:
    """Runs the command line of the service `name`, whose `build` makes it from its configuration.

    `serve` runs what `build` made until it is told to stop, and writes its address to the file that it is
    given. `shorthands` are flags that are short for one value each: `{"--flag": ("section.key", "help")}`.
    `commands` are what this service can do besides, by name.

    Exits with 0 after a clean stop, 1 when it cannot serve, 2 when the command line or the configuration is
    wrong.
    """
    more = commands or {}
    options = _parser(name, shorthands or {}, more).parse_args(argv)
    try:
        config = load_options(config_class, options, os.environ)
        if options.command == "check-config":
            _check_config(config, build)
        elif options.command == "openapi":
            _print_openapi(build(config))
        elif options.command in more:
            logs.configure(config.log)
            sys.exit(more[options.command].run(config, options))
        else:
            logs.configure(config.log)
            serve(build(config), options.address_file)
    except ConfigError as error:
        sys.exit(_complain(name, f"configuration: {error}", 2))
    except ListenError as error:
        sys.exit(_complain(name, str(error), 1))
    except BrokenPipeError:
        # `ks-x openapi | head`: nobody reads on. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _complain(name: str, message: str, status: int) -> int:
    print(f"{name}: {' '.join(message.split())}", file=sys.stderr)
    return status


_COMMANDS = "serve (default), openapi: print the API's description, check-config: print what is in effect"


def _parser(
    name: str, shorthands: Mapping[str, tuple[str, str]], commands: Mapping[str, Command[Any]]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=name,
        epilog=EPILOG.format(name=name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "openapi", "check-config", *commands),
        default="serve",
        help="; ".join([_COMMANDS, *(f"{title}: {command.help}" for title, command in commands.items())]),
    )
    for command in commands.values():
        command.arguments(parser)
    add_arguments(parser, shorthands)
    parser.add_argument(
        "--address-file", metavar="FILE", help="write the bound host:port to FILE once listening"
    )
    parser.add_argument("--version", action="version", version=f"{name} {version_of(name)}")
    return parser


def _check_config(config: C, build: Callable[[C], Service]) -> None:
    import yaml

    service = build(config)
    service.application()
    for warning in service.config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    yaml.safe_dump(config.model_dump(mode="json", by_alias=True), sys.stdout, sort_keys=False)
    sys.stdout.flush()


def _print_openapi(service: Service) -> None:
    from servicekit.openapi import encoded

    sys.stdout.buffer.write(encoded(service) + b"\n")
    sys.stdout.flush()
