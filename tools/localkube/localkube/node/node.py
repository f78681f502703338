"""The node of one cluster: claimed, started, waited for, stopped, and swept up after."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from localkube.api import Api, unix_time
from localkube.control_plane import Component
from localkube.errors import NodeHeld, NodeRefused
from localkube.kubeconfig import write_kubeconfig
from localkube.layout import Layout
from localkube.node import addons, claim, containerd, images, leftovers, machine, network
from localkube.node import kubelet as agents
from localkube.node.archive import Image, write_archive
from localkube.packages import require
from localkube.pki import Pki
from localkube.process import kill_marked
from localkube.settings import Settings
from localkube.supervisor import Supervisor

_READY_WITHIN = 60.0
_OWN_TAINTS = "node.kubernetes.io/"  # set by Kubernetes for as long as something is amiss


def refuse_unless_possible() -> None:
    """Raise NodeRefused with the reason when this user or this machine cannot run a node."""
    if os.geteuid() != 0:
        raise NodeRefused(
            "a node needs root (namespaces, mounts, containerd): run as root, or use --control-plane-only"
        )
    require()


@dataclass(frozen=True, slots=True)
class Node:
    """The node of the cluster in `layout`."""

    layout: Layout
    settings: Settings

    @property
    def _supervisor(self) -> Supervisor:
        return Supervisor(self.layout.root)

    @property
    def _plugins(self) -> Path:
        return self.layout.node / "cni"

    def running(self) -> bool:
        """Whether any process of the node runs."""
        return any(self._supervisor.process(name).running() for name in machine.COMPONENTS)

    def claimed(self) -> bool:
        """Whether the machine's node is this cluster's, running or left over."""
        holder = claim.current()
        return holder is not None and holder.state == str(self.layout.root)

    def claim(self) -> None:
        """Make the machine's one node this cluster's; what a crash left, of any cluster, is swept up.

        Raises NodeHeld when another cluster's node runs, SocketTaken or NodeRefused when something else is in
        the way.
        """
        with claim.machine_lock():
            holder = claim.current()
            if holder and holder.state != str(self.layout.root):
                if holder.alive():
                    raise NodeHeld(holder.name, holder.state)
                sweep(Path(holder.state), holder)
                network.restore()
                holder = None
            if not self.running():
                sweep(self.layout.root, holder)
                holder = None
                self._refuse_other_kubelet()
            record = self._supervisor.process(containerd.NAME).running()
            containerd.refuse_foreign(record.pid if record else None)
            claim.take(self.settings.name, self.layout.root, leftovers.FOREIGN_FOLDERS, holder)
            leftovers.link_volumes(self.layout.volumes)

    def start_runtime(self, coredns: Path, kubectl: Path) -> None:
        """Start containerd and bring in the images; needs nothing of the control plane."""
        network.raise_node(self.settings, self._plugins)
        runtime = self.runtime()
        alive = any(self._supervisor.process(name).running() for name in (containerd.NAME, agents.KUBELET))
        self._run_containerd(runtime)
        if not alive and containerd.container_names():
            # Left by a crash. containerd must have forgotten them before the kubelet asks.
            containerd.remove_containers()
            self._supervisor.stop(containerd.NAME)
            self._run_containerd(runtime)
        self._import_missing(coredns, kubectl)

    def start_agents(self, pki: Pki) -> None:
        """Start the kubelet and kube-proxy against a control plane that answers."""
        user, groups = agents.kubelet_user(self.settings)
        for name, who, of in ((agents.KUBELET, user, groups), (agents.PROXY, agents.PROXY_USER, ())):
            path = self.layout.kubeconfigs / f"{name}.kubeconfig"
            if not path.exists():
                write_kubeconfig(path, self.settings, pki.cluster, who, of)
        for component in self.agents(pki):
            self._supervisor.ensure(component)

    def runtime(self) -> Component:
        """containerd."""
        return containerd.component(self.layout.node, self.layout.containerd, self._plugins)

    def agents(self, pki: Pki) -> tuple[Component, Component]:
        """The kubelet and kube-proxy."""
        return agents.kubelet(self.layout, self.settings, pki), agents.proxy(self.layout, self.settings)

    def wait(self, api: Api) -> None:
        """Wait until the node is Ready and names resolve; raises ComponentFailed."""
        # What the API server remembers of earlier runs does not count; it keeps whole seconds.
        kubelet, holder = self._supervisor.process(agents.KUBELET).running(), claim.current()
        reported, created = (int(known.since) if known else 0 for known in (kubelet, holder))
        self._supervisor.wait(agents.KUBELET, lambda: self.is_ready(api, reported), _READY_WITHIN)
        self._supervisor.wait(agents.KUBELET, lambda: addons.names_resolve(api, created), _READY_WITHIN)
        # A kubelet that was restarted reports itself before it knows its pods again.
        pods = f"/api/v1/nodes/{self.settings.node_name}/proxy/pods"
        self._supervisor.wait(agents.KUBELET, lambda: bool((api.get(pods) or {}).get("items")), _READY_WITHIN)

    def is_ready(self, api: Api, since: int = 0) -> bool:
        """Whether the node has reported itself Ready since the Unix time `since`, and takes pods."""
        node = api.get(f"/api/v1/nodes/{self.settings.node_name}")
        if node is None or any(
            taint["key"].startswith(_OWN_TAINTS) for taint in node["spec"].get("taints", ())
        ):
            return False
        conditions = {condition["type"]: condition for condition in node["status"].get("conditions", ())}
        ready = conditions.get("Ready")
        return bool(ready and ready["status"] == "True" and unix_time(ready["lastHeartbeatTime"]) >= since)

    def stop_agents(self) -> None:
        """Stop the kubelet and kube-proxy: first of all, so that nothing brings containers back."""
        for name in (agents.KUBELET, agents.PROXY):
            self._supervisor.stop(name)

    def stop_containers(self) -> None:
        """End every container, while containerd can still be asked; without it their processes at least."""
        if self._supervisor.process(containerd.NAME).running():
            containerd.remove_containers()
        leftovers.kill_contained()

    def stop_runtime(self) -> None:
        """Stop containerd, sweep up, and leave the machine's node to others."""
        self._supervisor.stop(containerd.NAME)
        with claim.machine_lock():
            sweep(self.layout.root, claim.current())
            network.remove_node(self.settings)
            leftovers.unlink_volumes(self.layout.volumes)
            claim.give_up()

    def _run_containerd(self, component: Component) -> None:
        machine.CONTAINERD_SOCKET.parent.mkdir(parents=True, exist_ok=True)
        self._supervisor.ensure(component)
        self._supervisor.wait(containerd.NAME, containerd.answers, _READY_WITHIN)

    def _import_missing(self, coredns: Path, kubectl: Path) -> None:
        present = containerd.image_names()
        version = self.settings.kube.coredns
        wanted = {
            images.PAUSE: images.pause,
            images.BUSYBOX: images.busybox,
            images.KUBECTL: lambda: images.kubectl(kubectl),
            images.coredns_name(version): lambda: images.coredns(coredns, version),
        }
        with ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(_import, [make() for name, make in wanted.items() if name not in present]))

    def _refuse_other_kubelet(self) -> None:
        others = leftovers.containers_of_other_nodes()
        if others:
            raise NodeRefused(
                f"another kubelet runs containers here ({others[0]}): stop it, or use --control-plane-only"
            )


def abandon(root: Path) -> None:
    """Give up the node of the cluster at `root`, whose settings may be lost; needs the machine lock."""
    holder = claim.current()
    if holder and holder.state == str(root):
        sweep(root, holder)
        network.restore()
        claim.give_up()


def sweep(root: Path, holder: claim.Claim | None) -> None:
    """Remove what the node of the cluster at `root` left; of its processes those that still run are killed.

    Without its claim, what other programs may have made alike is left alone.
    """
    supervisor = Supervisor(root)
    for name in machine.COMPONENTS:
        supervisor.stop(name, hard=True)
    kill_marked(root, programs=machine.COMPONENTS)
    if holder:
        leftovers.kill_contained()
    leftovers.unmount(root / "containerd")
    leftovers.remove_files(holder.made if holder else ())
    leftovers.remove_cgroups()


def _import(image: Image) -> None:
    with tempfile.TemporaryDirectory(prefix="localkube-") as directory:
        archive = Path(directory) / "image.tar"
        write_archive(image, archive)
        containerd.import_image(archive)
