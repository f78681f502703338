"""The harness' Kubernetes knows the users that a test makes up."""

import asyncio

import pytest
from kubernetes import client, config

from harness.kubernetes import KubernetesServer


@pytest.mark.kubernetes
async def test_a_made_up_user_is_who_the_cluster_sees(kubernetes: KubernetesServer):
    kubeconfig = await kubernetes.user_kubeconfig("devstack-alice", ["devs", "ops"])
    api = client.AuthenticationV1Api(config.new_client_from_config(str(kubeconfig)))
    review = await asyncio.to_thread(api.create_self_subject_review, client.V1SelfSubjectReview())
    seen = review.to_dict()["status"]["user_info"]
    assert seen["username"] == "devstack-alice"
    assert {"devs", "ops"} <= set(seen["groups"])
