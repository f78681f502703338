"""The command line: `devstack up|down|status|restart|logs|env|packages`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from devstack import environment, packages, requirements, status
from devstack import settings as choices
from devstack.lock import StackBusy
from devstack.packages import CannotInstall
from devstack.ports import NoFreePort
from devstack.settings import Ports, Settings, SettingsError
from devstack.stack import NoStack, Stack
from devstack.steps import StepFailed, StepsFailed
from devstack.supervision import SupervisorError

_EXPECTED = (CannotInstall, NoFreePort, NoStack, SettingsError, StackBusy, SupervisorError)
_WIDE = 200  # columns where the output is no terminal
_EPILOG = f"""\
examples:
  devstack up                              everything, with its state in .dev
  devstack up --port gateway=8080          another port; the variable KS_PORT_GATEWAY does the same
  devstack up --kubeconfig ~/.kube/config  the platform on a cluster that is there
  devstack --state /tmp/second up --free-ports --control-plane-only
  eval "$(devstack env)"                   addresses and secrets as variables of a shell
  devstack logs -f apigateway account

ports: {", ".join(choices.port_names())}
exit status: 0 done; 1 a step failed, or `status` found something unhealthy; 2 a setting is wrong"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit status."""
    options = _parser().parse_args(argv)
    try:
        sys.exit(options.run(options))
    except (StepFailed, StepsFailed) as failed:
        print(f"\ndevstack: {failed}", file=sys.stderr)
        sys.exit(1)
    except SettingsError as error:
        print(f"devstack: {error}", file=sys.stderr)
        sys.exit(2)
    except (*_EXPECTED, OSError) as error:
        print(f"devstack: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ndevstack: interrupted; the same command continues", file=sys.stderr)
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devstack",
        description="Runs the platform on this machine: back ends, Kubernetes and the services, supervised.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_state(parser, None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(commands.add_parser("up", help="start what does not run, and wait until all of it serves"))
    down = commands.add_parser("down", help="stop everything and remove its state")
    down.add_argument(
        "--keep-data", action="store_true", help="leave users, objects and secrets for the next up"
    )
    down.set_defaults(run=_down)
    shown = commands.add_parser("status", help="what runs, where, since when, and what is unhealthy")
    shown.add_argument("--json", action="store_true", help="for programs")
    shown.set_defaults(run=_status)
    restart = commands.add_parser("restart", help="stop and start programs, as after a change of their code")
    restart.add_argument("name", nargs="+")
    restart.set_defaults(run=_restart)
    logs = commands.add_parser("logs", help="the end of the logs")
    logs.add_argument("name", nargs="*", help="of these programs alone")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as they grow")
    logs.add_argument("-n", "--lines", type=int, default=20, help="of each log (default: %(default)s)")
    logs.set_defaults(run=_logs)
    env = commands.add_parser("env", help="addresses, secrets and process ids as lines of KEY=VALUE")
    env.set_defaults(run=_env)
    needed = commands.add_parser("packages", help="install the missing Debian packages, start nothing")
    needed.add_argument("--tests", action="store_true", help="those of the tests too")
    needed.add_argument("--benchmarks", action="store_true", help="those of the benchmarks too")
    needed.set_defaults(run=_packages)
    for command in commands.choices.values():
        _add_state(command, argparse.SUPPRESS)
    return parser


def _add_state(parser: argparse.ArgumentParser, default: object) -> None:
    """The same option before and after the command's name; the default is set once, at the top."""
    where = f"where everything is kept (default: ${choices.STATE_VARIABLE}, else .dev)"
    parser.add_argument("--state", type=Path, metavar="DIR", default=default, help=where)


def _add_up(up: argparse.ArgumentParser) -> None:
    up.add_argument(
        "--port", action="append", default=[], metavar="NAME=PORT", help="one port; may be repeated"
    )
    together = up.add_mutually_exclusive_group()
    together.add_argument("--port-offset", type=int, metavar="N", help="every default port moved by N")
    together.add_argument("--free-ports", action="store_true", help="ports that are free now")
    cluster = up.add_mutually_exclusive_group()
    cluster.add_argument("--kubeconfig", type=Path, metavar="FILE", help="use this cluster, start none")
    cluster.add_argument(
        "--node", dest="node", action="store_true", default=None, help="with pods; needs root"
    )
    cluster.add_argument(
        "--control-plane-only",
        dest="node",
        action="store_false",
        default=None,
        help="no pods; the default without root",
    )
    up.add_argument(
        "--mariadb",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="in place of the embedded SQLite",
    )
    up.set_defaults(run=_up)


def _up(options: argparse.Namespace) -> int:
    stack = Stack(_chosen(options))
    values = stack.up()
    print(
        f"\n  console   {values['KS_CONSOLE_URL']}"
        f"\n  gateway   {values['KS_GATEWAY_URL']}"
        f"\n  user      {values['KS_ADMIN_USER']}"
        f"\n  password  {values['KS_ADMIN_PASSWORD']}   (the initial one)\n"
        f"\nFor scripts: {stack.settings.state / 'env'}"
    )
    return 0


def _down(options: argparse.Namespace) -> int:
    _stack(options).down(options.keep_data)
    return 0


def _status(options: argparse.Namespace) -> int:
    components = _stack(options).status()
    if options.json:
        print(status.as_json(components))
    else:
        status.show(components, Console(width=None if sys.stdout.isatty() else _WIDE))
    return 0 if all(each.healthy for each in components) else 1


def _restart(options: argparse.Namespace) -> int:
    _stack(options).restart(options.name)
    return 0


def _logs(options: argparse.Namespace) -> int:
    stack = _stack(options)
    known = stack.program_names()
    unknown = [name for name in options.name if name not in known]
    if unknown:
        raise SettingsError(f"there is no log of {', '.join(unknown)}; there are {', '.join(known)}")
    files = [str(stack.log_of(name)) for name in options.name or known]
    os.execvp("tail", ["tail", "-n", str(options.lines), *(["-F"] if options.follow else []), *files])  # noqa: S606


def _env(options: argparse.Namespace) -> int:
    sys.stdout.write(environment.render(_stack(options).env()))
    return 0


def _packages(options: argparse.Namespace) -> int:
    settings = choices.remembered(_state(options))
    wanted = requirements.for_stack(settings)
    if options.tests:
        wanted += requirements.for_tests(node=os.geteuid() == 0)
    if options.benchmarks:
        wanted += requirements.for_benchmarks()
    packages.ensure(wanted, print)
    return 0


def _state(options: argparse.Namespace) -> Path:
    return options.state.absolute() if options.state else choices.default_state()


def _stack(options: argparse.Namespace) -> Stack:
    return Stack(choices.remembered(_state(options)))


def _chosen(options: argparse.Namespace) -> Settings:
    """The remembered settings with what this command line and the environment say."""
    settings = choices.remembered(_state(options))
    if options.port_offset is not None:
        settings = replace(settings, ports=Ports().shifted(options.port_offset))
    if options.free_ports:
        settings = replace(settings, ports=Ports.free())
    settings = choices.with_ports(settings, choices.ports_of_environment(), "the environment")
    settings = choices.with_ports(settings, dict(_pair(each) for each in options.port), "--port")
    if options.kubeconfig is not None:
        if not options.kubeconfig.is_file():
            raise SettingsError(f"--kubeconfig {options.kubeconfig}: there is no such file")
        settings = replace(settings, kubeconfig=options.kubeconfig.absolute())
    if options.node is not None:
        settings = replace(settings, node=options.node, kubeconfig=None)
    if options.mariadb is not None:
        settings = replace(settings, mariadb=options.mariadb)
    return settings


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"--port {text}: must be NAME=PORT, such as gateway=8080")
    return name, value
