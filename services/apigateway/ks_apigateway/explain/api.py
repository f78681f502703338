"""The route of authorization.kubesphere.io/v1."""

from typing import Any

from ks_apigateway.explain.explanation import Explanations
from ks_apigateway.explain.question import Question
from servicekit.group import Group
from servicekit.identity import Identity


def group(explanations: Explanations) -> Group:
    """`POST .../explain`."""
    authorization = Group("authorization.kubesphere.io", "v1")

    @authorization.post("/explain")
    async def explain(caller: Identity, body: Question) -> dict[str, Any]:
        """Which binding allows a request, or which rule is missing.

        About oneself everybody may ask; about others, who may create SubjectAccessReviews.
        """
        return explanations.explain(caller.user, caller.groups, body)

    return authorization
