"""What can go wrong, each with the exit code that the command ends with."""


class InstallerError(Exception):
    """A failure that is told to the user in one line; `exit_code` is what the process ends with."""

    exit_code = 1


class UsageError(InstallerError):
    """The command line, ks-config.yaml, a profile or a component is wrong; nothing was changed."""

    exit_code = 2


class ClusterUnreachable(InstallerError):
    """No answer from the Kubernetes API, or none that can be trusted."""

    exit_code = 3


class NotPermitted(InstallerError):
    """The cluster refuses these credentials, or what they ask for."""

    exit_code = 4


class NotReady(InstallerError):
    """Something that was applied did not become ready in time; the message names it and its reason."""

    exit_code = 5


class Unsuitable(InstallerError):
    """The cluster lacks something that the installation needs; nothing was changed."""

    exit_code = 6


class Refused(InstallerError):
    """The cluster takes an object not at all, or not the change of it; the message names it and why."""
