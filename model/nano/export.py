"""Write the trained network as a checkpoint in the family's layout.

    python -m model.nano.export --state build/nano/state --out assets/checkpoint

The averaged weights are written in bfloat16; the auxiliary heads stay behind.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from model.nano.codec import PROMPT, nano_ranks
from model.nano.config import IN_TOKEN_LIMIT, LARGE, SMALL, nano_config
from model.text.tokenizer_build import write_tokenizer

SHARD_BYTES = 15_000_000


def checkpoint_tensors(weights: dict[str, Tensor], biases: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the network's weights to the released layout: one tensor for each expert's matrix."""
    tensors = {name: bias.float().cpu().clone() for name, bias in biases.items()}
    for name, weight in weights.items():
        if name.startswith("heads.") or name in biases:
            continue
        value = weight.to(torch.bfloat16).cpu()
        stem, _, kind = name.rpartition(".")
        if kind == "gate_up":
            gates, ups = value.chunk(2, dim=1)
            for index in range(value.shape[0]):
                tensors[f"{stem}.{index}.gate_proj.weight"] = gates[index].clone()
                tensors[f"{stem}.{index}.up_proj.weight"] = ups[index].clone()
        elif kind == "down":
            for index in range(value.shape[0]):
                tensors[f"{stem}.{index}.down_proj.weight"] = value[index].clone()
        else:
            tensors[name] = value.clone()
    return tensors


def write_shards(folder: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors as numbered shards of at most `SHARD_BYTES`, and their index."""
    shards: list[dict[str, Tensor]] = [{}]
    used = 0
    for name in sorted(tensors):
        if used + tensors[name].nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            used = 0
        shards[-1][name] = tensors[name]
        used += tensors[name].nbytes
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    _write_json(folder / "model.safetensors.index.json", index)


def write_settings(folder: Path, note: dict[str, Any]) -> None:
    """Write everything of a checkpoint but the weights; ``note`` says how it was trained."""
    ranks = nano_ranks()
    config = nano_config(len(ranks))
    write_tokenizer(folder, ranks, config["text_config"]["max_position_embeddings"])
    _write_json(folder / "config.json", config)
    _write_json(
        folder / "preprocessor_config.json",
        {
            "in_token_limit": IN_TOKEN_LIMIT,
            "patch_size": 14,
            "num_pooled_tokens": 1024,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "pad_input": True,
            "merge_kernel_size": [2, 2],
        },
    )
    _write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": len(ranks),
            "eos_token_id": [len(ranks) + 2, len(ranks) + 1],
            "pad_token_id": len(ranks) + 254,
            "do_sample": False,
            "max_new_tokens": 64,
        },
    )
    _write_json(
        folder / "deskhand.json",
        {
            "name": "deskhand-nano",
            "capabilities": ["ground"],
            "grounding_prompt": PROMPT,
            "licence": "MIT",
            "shapes_px": [[width, height] for width, height, _ in (*SMALL, *LARGE)],
            "training": note,
        },
    )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.export", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the training state")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    args = parser.parse_args()
    state = torch.load(args.state / "state.pt", map_location="cpu", weights_only=True)
    args.out.mkdir(parents=True, exist_ok=True)
    for old in args.out.glob("model-*.safetensors"):
        old.unlink()
    write_shards(args.out, checkpoint_tensors(state["average"], state["bias"]))
    note = {"screens": state["screens"], "minutes": round(state["seconds"] / 60, 1), "progress": state["progress"]}
    write_settings(args.out, note)


if __name__ == "__main__":
    main()
