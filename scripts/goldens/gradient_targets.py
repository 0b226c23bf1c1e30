"""The numbers that are differentiated: every kind of src/model/gradient.ts, in its own field names, and their value in PyTorch."""

import torch

ALL_SITES_FOR = ("logit", "logprob", "span")


def make_targets(tokens: list[int], logits: torch.Tensor, shapes: dict[str, tuple[int, ...]]) -> dict[str, dict]:
    """Name → target. `logits` [T, V] chooses ids that are neither the most likely ones nor negligible. Tensors are torch tensors."""
    last = len(tokens) - 1
    ranked = logits[last].argsort(descending=True).tolist()
    first, chosen, other = ranked[0], ranked[2], ranked[5]
    vocabulary = logits.shape[1]

    def term(position: int, token: int, weight: float = 1) -> dict:
        return {"position": position, "id": token, "weight": weight}

    span = [term(position, tokens[position + 1]) for position in (6, 9, 10, 14)]
    reference = torch.softmax(1.5 * torch.randn(vocabulary), dim=-1)
    rows = [{"position": position, "weights": 0.3 * torch.randn(vocabulary)} for position in (5, last)]
    return {
        "logit": {"kind": "logit", "terms": [term(last, chosen)]},
        "logprob": {"kind": "logprob", "terms": [term(last, chosen)]},
        "span": {"kind": "logprob", "terms": span},
        "contrast": {"kind": "logit", "terms": [term(last, first), term(last, other, -1)]},
        "probability": {"kind": "probability", "terms": [term(last, chosen)]},
        "joint-probability": {"kind": "joint-probability", "terms": [term(last - 1, tokens[last]), term(last, first)]},
        "entropy": {"kind": "entropy", "position": last},
        "kl-to": {"kind": "kl", "position": last, "reference": reference, "direction": "to-reference"},
        "kl-from": {"kind": "kl", "position": last, "reference": reference, "direction": "from-reference"},
        "linear": {"kind": "linear", "rows": rows},
        "cotangent-resid_post.0": _cotangent("resid_post", 0, shapes),
        "cotangent-pattern.1": _cotangent("pattern", 1, shapes),
    }


def _cotangent(kind: str, layer: int, shapes: dict[str, tuple[int, ...]]) -> dict:
    site = {"kind": kind, "layer": layer}
    return {"kind": "cotangent", "site": site, "values": torch.randn(shapes[f"{kind}.{layer}"])}


def target_value(target: dict, logits: torch.Tensor, site_tensor) -> torch.Tensor:
    """Scalar. `logits` [T, V]; `site_tensor(name)` gives a site in its own shape, attached to the graph."""
    kind = target["kind"]
    log_probabilities = torch.log_softmax(logits, dim=-1)

    def total(rows: torch.Tensor) -> torch.Tensor:
        return sum(term["weight"] * rows[term["position"], term["id"]] for term in target["terms"])

    if kind == "logit":
        return total(logits)
    if kind == "logprob":
        return total(log_probabilities)
    if kind == "probability":
        return total(log_probabilities.exp())
    if kind == "joint-probability":
        return total(log_probabilities).exp()
    if kind == "linear":
        return sum((row["weights"] * logits[row["position"]]).sum() for row in target["rows"])
    if kind == "cotangent":
        site = target["site"]
        return (target["values"] * site_tensor(f"{site['kind']}.{site['layer']}")).sum()
    row = log_probabilities[target["position"]]
    if kind == "entropy":
        return -(row.exp() * row).sum()
    reference = target["reference"].log()
    if target["direction"] == "to-reference":
        return (row.exp() * (row - reference)).sum()
    return (reference.exp() * (reference - row)).sum()


def sites_of(name: str, sites: list[str]) -> list[str]:
    """Where a target's gradient is written: everywhere for three of them, at few sites for the others, to keep the files small."""
    if name.startswith("cotangent-"):
        return ["embed"]
    if name in ALL_SITES_FOR:
        return sites
    return ["embed", "pattern.0", "resid_mid.1"]
