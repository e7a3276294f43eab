#!/usr/bin/env python3
"""Turns evaluation questions into lines for `sidecart recommend --batch`: an id and the fields of RecommendRequest.

    queries.py QUESTIONS.jsonl[.gz] QUERIES.jsonl [--tasks pair,completion]

A question is `{"id", "task", "items", "user", "ts"}`. How each task is asked:

    completion, cold_target   stage CART, items in the cart
    pair, cold_anchor         stage PRODUCT, items as anchors
    post                      stage DELIVERED, items as the order, user as shopper
    replen                    stage REPLENISH, user as shopper
"""

import argparse
import collections
import gzip
import json


def lines(items):
    """Cart or order lines, one for each item."""
    return [{"product_id": item, "quantity": quantity} for item, quantity in collections.Counter(items).items()]


def query(question):
    """The request that asks a question."""
    task, items = question["task"], question["items"]
    asked = {"id": question["id"], "at": question["ts"]}
    if task in ("completion", "cold_target"):
        return asked | {"stage": "STAGE_CART", "cart": lines(items)}
    if task in ("pair", "cold_anchor"):
        return asked | {"stage": "STAGE_PRODUCT", "anchor_ids": items}
    if task == "post":
        return asked | {"stage": "STAGE_DELIVERED", "order": {"lines": lines(items)}, "shopper_id": question["user"]}
    if task == "replen":
        return asked | {"stage": "STAGE_REPLENISH", "shopper_id": question["user"]}
    raise SystemExit(f"question {question['id']}: unknown task {task}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions")
    parser.add_argument("queries")
    parser.add_argument("--tasks", help="only these, separated by commas")
    options = parser.parse_args()
    wanted = options.tasks and set(options.tasks.split(","))
    stages = collections.Counter()
    opened = gzip.open(options.questions, "rt") if options.questions.endswith(".gz") else open(options.questions)
    with opened as questions, open(options.queries, "w") as queries:
        for question in map(json.loads, questions):
            if not wanted or question["task"] in wanted:
                asked = query(question)
                stages[asked["stage"]] += 1
                queries.write(json.dumps(asked, separators=(",", ":")) + "\n")
    print(f"{options.queries}: {sum(stages.values())} lines,", ", ".join(f"{n} {stage}" for stage, n in stages.items()))


if __name__ == "__main__":
    main()
