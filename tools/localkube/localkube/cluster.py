"""A cluster: brings it up, takes it down, says how it is."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from localkube import control_plane as plane
from localkube import layout as places
from localkube import settings as remembered
from localkube.api import Api
from localkube.binaries import Finder
from localkube.control_plane import Component, ControlPlane
from localkube.errors import LocalkubeError, NotRunning, PortTaken, StateMismatch, Unanswered
from localkube.kubeconfig import ADMINISTRATORS, write_kubeconfig
from localkube.layout import Layout
from localkube.lock import exclusive
from localkube.node import addons, claim, containerd, machine, network
from localkube.node.claim import machine_lock
from localkube.node.node import Node, abandon, refuse_unless_possible
from localkube.pki import Pki, ensure_pki
from localkube.process import kill_marked
from localkube.progress import Progress
from localkube.settings import Settings
from localkube.status import ComponentStatus, Status
from localkube.supervisor import Supervisor
from localkube.versions import find_version

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_READY_WITHIN = 60.0


class Localkube:
    """One cluster, known by its `name` in the folder `state`.

    `version` is a pinned Kubernetes version (`1.37.2` or `1.37`); None keeps that of an existing cluster,
    else KUBE_VERSION, else the newest. `port` is the API server's, 0 for a free one. `assets` is a folder of
    prebuilt programs. All methods block and may be called from any thread; callers take turns.
    """

    def __init__(
        self,
        name: str = "default",
        state: Path | str | None = None,
        version: str | None = None,
        *,
        port: int = 0,
        control_plane_only: bool = False,
        assets: Path | str | None = None,
        pod_range: str = remembered.DEFAULT_POD_RANGE,
        service_range: str = remembered.DEFAULT_SERVICE_RANGE,
        node_address: str = remembered.DEFAULT_NODE_ADDRESS,
        progress: Progress | None = None,
    ):
        if not _NAME.fullmatch(name):
            raise LocalkubeError(
                f"a cluster cannot be named {name!r}: use lower-case letters, digits and hyphens, 40 at most"
            )
        self.name = name
        self.layout = Layout(Path(state or places.default_state()).absolute() / name)
        self._version = version
        self._port = port
        self._with_node = not control_plane_only
        self._assets = Path(assets) if assets else None
        self._pod_range, self._service_range, self._node_address = pod_range, service_range, node_address
        self._progress = progress or Progress()
        self._supervisor = Supervisor(self.layout.root)

    @property
    def settings(self) -> Settings:
        """What was fixed when the cluster was made; raises NotRunning when it never was."""
        settings = remembered.load(self.layout.settings)
        if settings is None:
            raise NotRunning(
                f"no cluster {self.name!r} in {self.layout.root.parent}: start it with `localkube up`"
            )
        return settings

    @property
    def url(self) -> str:
        """The address of the API server."""
        return self.settings.url

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.admin_kubeconfig

    @property
    def kubectl(self) -> Path:
        """A kubectl of the cluster's version."""
        return self.layout.bin / "kubectl"

    def up(self) -> Status:
        """Start what does not run and wait until the cluster is ready; one that is up is left as it is."""
        if self._with_node:
            refuse_unless_possible()
        with self._changing():
            settings = self._settle()
            finder = Finder(settings.kube, self._assets, self._progress)
            finder.kubernetes().link_into(self.layout.bin)
            control_plane = ControlPlane(self.layout, settings, self._certify(settings))
            if os.geteuid() == 0:
                with machine_lock():
                    network.route_to_nowhere(self.layout.root, settings)
            if self._with_node:
                self._start_with_node(control_plane, finder.coredns())
            else:
                self._start_control_plane(control_plane)
        return self.status()

    def down(self, delete: bool = False) -> None:
        """Stop everything, crashed or not, if there is anything; `delete` also removes the cluster's data."""
        with self._changing():
            settings = remembered.load(self.layout.settings)
            if settings:
                self._stop(settings)
            kill_marked(self.layout.root)
            if os.geteuid() == 0:
                with machine_lock():
                    abandon(self.layout.root)
                    network.remove_routes(self.layout.root)
            if delete or settings is None:
                shutil.rmtree(self.layout.root, ignore_errors=True)
                places.forget(self.layout.root)

    def status(self) -> Status:
        """How the cluster is; raises NotRunning when it was never started."""
        settings = self.settings
        names = (*plane.NAMES, *machine.COMPONENTS) if settings.with_node else plane.NAMES
        components = tuple(self._component_status(name) for name in names)
        problem = self._problem(settings, components)
        return Status(
            name=self.name,
            state=self.layout.root,
            version=settings.version,
            url=settings.url,
            kubeconfig=self.kubeconfig,
            with_node=settings.with_node,
            ready=problem is None,
            problem=problem,
            components=components,
        )

    def images(self) -> list[str]:
        """The names of the node's images; raises NotRunning when there is no node."""
        self._require_node()
        return sorted(containerd.image_names())

    def import_image(self, archive: Path | str) -> list[str]:
        """Give the node the images of an archive (`docker save`, or OCI); their names.

        Raises ImageError when it cannot be read, NotRunning when there is no node.
        """
        self._require_node()
        return containerd.import_image(Path(archive))

    def user_kubeconfig(self, user: str, groups: Iterable[str] = ()) -> Path:
        """A kubeconfig (mode 0600) that makes its holder `user` in `groups`, by a client certificate."""
        settings = self.settings
        authority = ensure_pki(self.layout.pki, settings).cluster
        file = re.sub(r"[^A-Za-z0-9.@_-]", "_", user)
        return write_kubeconfig(
            self.layout.kubeconfigs / f"user-{file}.kubeconfig", settings, authority, user, groups
        )

    def stop_component(self, name: str, hard: bool = False) -> None:
        """Stop one process and leave the others: with SIGTERM and patience, or with SIGKILL when `hard`."""
        with self._changing():
            if not self._supervisor.stop(self._component(name).name, hard=hard):
                raise NotRunning(f"{name} of cluster {self.name!r} is not running")

    def start_component(self, name: str) -> None:
        """Start a process that was stopped; the API server is waited for."""
        with self._changing():
            self._supervisor.ensure(self._component(name))
            if name == plane.API_SERVER:
                self._wait_for_api_server(self.settings)

    def _require_node(self) -> None:
        if self._supervisor.process(containerd.NAME).running() is None:
            raise NotRunning(f"cluster {self.name!r} runs no node, and images are the node's")

    def _settle(self) -> Settings:
        with exclusive(places.register_lock()):
            others = (Layout(root).settings for root in places.registered() if root != self.layout.root)
            reserved = remembered.reserved_ports(others)
            settings = remembered.load(self.layout.settings)
            if settings is None:
                settings = self._new_settings(reserved)
            else:
                self._check_unchanged(settings)
                self._free_ports(settings, reserved)
            settings.with_node = self._with_node or Node(self.layout, settings).running()
            self.layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            remembered.save(settings, self.layout.settings)
            places.register(self.layout.root)
        return settings

    def _new_settings(self, reserved: set[int]) -> Settings:
        settings = Settings(
            name=self.name,
            version=find_version(self._version).kubernetes,
            port=0,
            pod_range=self._pod_range,
            service_range=self._service_range,
            node_address=self._node_address,
        )
        remembered.assign_ports(settings, self._port, reserved)
        return settings

    def _check_unchanged(self, settings: Settings) -> None:
        delete = f"or delete it first with `localkube down --delete --name {self.name}`"
        if self._version and find_version(self._version).kubernetes != settings.version:
            raise StateMismatch(
                f"cluster {self.name!r} runs Kubernetes {settings.version}: start it with that, {delete}"
            )
        if self._port and self._port != settings.port:
            raise StateMismatch(
                f"cluster {self.name!r} has port {settings.port}: start it with that, {delete}"
            )

    def _free_ports(self, settings: Settings, reserved: set[int]) -> None:
        running = {name for name in plane.NAMES if self._supervisor.process(name).running()}
        if plane.API_SERVER not in running and not remembered.is_free(settings.port):
            raise PortTaken(
                f"port {settings.port}, the API server's, is in use by another program: end that, or "
                f"`localkube down --delete --name {self.name}` and give another --port"
            )
        owners = {name: name.removesuffix("-peer") for name in settings.ports}
        idle = (name for name, owner in owners.items() if owner not in running)
        remembered.replace_taken(settings, idle, reserved)

    def _certify(self, settings: Settings) -> Pki:
        pki = ensure_pki(self.layout.pki, settings)
        write_kubeconfig(self.kubeconfig, settings, pki.cluster, "kubernetes-admin", [ADMINISTRATORS])
        for component, user in plane.KUBECONFIG_USERS.items():
            path = self.layout.kubeconfigs / f"{component}.kubeconfig"
            if not path.exists():
                write_kubeconfig(path, settings, pki.cluster, user)
        return pki

    def _start_with_node(self, control_plane: ControlPlane, coredns: Path) -> None:
        node = Node(self.layout, control_plane.settings)
        try:
            node.claim()
            with ThreadPoolExecutor(1) as beside:
                runtime = beside.submit(node.start_runtime, coredns, self.kubectl)
                self._start_control_plane(control_plane)
                addons.install(self._api(control_plane.settings), control_plane.settings)
                with self._progress.step("starting the node"):
                    runtime.result()
                    node.start_agents(control_plane.pki)
                    node.wait(self._api(control_plane.settings))
        finally:
            claim.settle(self.layout.root)

    def _stop(self, settings: Settings) -> None:
        node = Node(self.layout, settings)
        if not node.claimed():
            self._stop_control_plane(tuple(reversed(plane.NAMES)))
            return
        with self._progress.step("stopping the node"):
            node.stop_agents()
        # etcd goes last: without it the API server takes a minute to end.
        self._stop_control_plane((plane.SCHEDULER, plane.CONTROLLER_MANAGER))
        with self._progress.step("ending containers"):
            node.stop_containers()
        self._stop_control_plane((plane.API_SERVER, plane.ETCD))
        with self._progress.step("sweeping up"):
            node.stop_runtime()

    def _start_control_plane(self, control_plane: ControlPlane) -> None:
        settings = control_plane.settings
        with self._progress.step(f"starting the control plane of Kubernetes {settings.version}"):
            self._supervisor.ensure(control_plane.etcd())
            self._supervisor.ensure(control_plane.api_server())
            self._wait_for_api_server(settings)
            self._supervisor.ensure(control_plane.controller_manager())
            self._supervisor.ensure(control_plane.scheduler())
            # Without it no pod can be created: the controller manager works when it is there.
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            api = self._api(settings)
            self._supervisor.wait(
                plane.CONTROLLER_MANAGER, lambda: api.get(account) is not None, _READY_WITHIN
            )

    def _stop_control_plane(self, names: tuple[str, ...]) -> None:
        with self._progress.step(f"stopping {', '.join(names)}"):
            for name in names:
                self._supervisor.stop(name)

    def _wait_for_api_server(self, settings: Settings) -> None:
        api = self._api(settings)
        self._supervisor.wait(plane.API_SERVER, api.ready, _READY_WITHIN)

    def _api(self, settings: Settings) -> Api:
        pki = ensure_pki(self.layout.pki, settings)
        return Api(settings.url, str(pki.cluster.files.certificate), pki.apiserver_to_kubelet)

    def _component(self, name: str) -> Component:
        settings = self.settings
        pki = ensure_pki(self.layout.pki, settings)
        known = ControlPlane(self.layout, settings, pki).components()
        if settings.with_node:
            node = Node(self.layout, settings)
            known += (node.runtime(), *node.agents(pki))
        for component in known:
            if component.name == name:
                return component
        raise LocalkubeError(
            f"no component is named {name!r}; there are {', '.join(one.name for one in known)}"
        )

    def _component_status(self, name: str) -> ComponentStatus:
        process = self._supervisor.process(name)
        record = process.running()
        return ComponentStatus(name, record and record.pid, record and record.since, process.log)

    def _problem(self, settings: Settings, components: Iterable[ComponentStatus]) -> str | None:
        stopped = [component.name for component in components if not component.running]
        if stopped:
            return f"not running: {', '.join(stopped)}"
        api = self._api(settings)
        if not api.ready():
            return "the API server does not answer as ready"
        try:
            node_ready = not settings.with_node or Node(self.layout, settings).is_ready(api)
        except Unanswered as failure:
            return str(failure)
        return None if node_ready else f"node {settings.node_name} is not Ready"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with exclusive(self.layout.lock):
            yield
