#!/usr/bin/env python3
"""Checks the demo store without a server: what the files name exists, every rule can take effect, every kind of rule is shown.

Knows what selectors and match clauses mean, and of the gates only those that no shopper can change; it ranks nothing.

    check.py [--folder FOLDER] [--journey PRODUCT_ID]
"""

import argparse
import collections
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
STAGES = ["BROWSE", "PRODUCT", "CART", "CHECKOUT", "ORDER_PLACED", "DELIVERED", "REPLENISH"]
SURFACES = ["WEB", "APP", "CHAT", "EMAIL", "SMS", "VOICE"]
RELATIONS = ["REQUIRED_ACCESSORY", "ACCESSORY", "CONSUMABLE", "REFILL", "PROTECTION", "BUNDLE_PART", "SERVICE"]
MIRRORED = {"SUPERSET": "SUBSET", "SUBSET": "SUPERSET", "AT_LEAST": "AT_MOST", "AT_MOST": "AT_LEAST"}
SLOTS = {"target", "anchor", "need", "price"}
PRODUCT_FIELDS = {"product_id", "title", "family_id", "category_path", "kind", "price", "unit_cost", "in_stock",
                  "availability", "stock_quantity", "days_of_supply", "attributes", "tags", "aliases"}
RULE_FIELDS = {"rule_id", "pairing", "block", "boost", "anchor", "target", "match", "stages", "surfaces", "windows",
               "disabled", "note"}
PAIRING_FIELDS = {"relation", "need", "position", "min_anchor_quantity", "sentence", "mutual", "allows_same_category"}
PRODUCTS_MIN, PAIRINGS_MIN = 60, 40


def values(product, name):
    """The text values and the numbers of an attribute."""
    found = product.get("attributes", {}).get(name, [])
    return {v for v in found if isinstance(v, str)}, sorted(v for v in found if not isinstance(v, str))


def holds(clause, target, anchor, mirrored=False):
    """Whether a match clause holds; mirrored: with target and anchor in each other's place."""
    op = clause["op"].removeprefix("MATCH_OP_")
    own, other = clause["target_attribute"], clause.get("anchor_attribute") or clause["target_attribute"]
    if mirrored:
        own, other, op = other, own, MIRRORED.get(op, op)
    (text, numbers), (anchor_text, anchor_numbers) = values(target, own), values(anchor, other)
    if op in ("SUPERSET", "SUBSET", "OVERLAPS"):
        if not text or not anchor_text:
            return False
        return {"SUPERSET": text >= anchor_text, "SUBSET": text <= anchor_text, "OVERLAPS": bool(text & anchor_text)}[op]
    if op == "EQUAL":
        return bool(text or numbers) and (text, numbers) == (anchor_text, anchor_numbers)
    if not numbers or not anchor_numbers:
        return False
    if op == "AT_LEAST":
        return numbers[0] >= anchor_numbers[-1]
    if op == "AT_MOST":
        return numbers[-1] <= anchor_numbers[0]
    return any(abs(a - b) <= clause.get("tolerance", 0) for a in numbers for b in anchor_numbers)


def has(product, term):
    """Whether a product has a term."""
    (kind, wanted), = term.items()
    if kind == "product_id":
        return product["product_id"] == wanted
    if kind == "family_id":
        return family(product) == wanted
    if kind == "category":
        return product["category_path"][:len(wanted["path"])] == wanted["path"]
    if kind == "tag":
        return wanted in product.get("tags", [])
    return wanted["value"] in values(product, wanted["name"])[0]


def family(product):
    """The family, which is the product's own id where none is given."""
    return product.get("family_id", product["product_id"])


def selects(selector, product):
    """Whether a selector selects a product. None: any."""
    if selector is None:
        return True
    any_of, all_of, none_of = (selector.get(field, []) for field in ("any_of", "all_of", "none_of"))
    return ((not any_of or any(has(product, t) for t in any_of)) and all(has(product, t) for t in all_of)
            and not any(has(product, t) for t in none_of))


def terms(rule):
    """Every term of a rule's selectors."""
    for side in ("anchor", "target"):
        for part in rule.get(side, {}).values():
            yield from part


def covered(rule, products):
    """The pairs (anchor, target) that a rule speaks of, as written and, where mutual, the other way."""
    anchors = [p for p in products if selects(rule.get("anchor"), p)]
    targets = [p for p in products if selects(rule["target"], p)]
    clauses = rule.get("match", [])
    pairs = [(a, t) for a in anchors for t in targets if all(holds(c, t, a) for c in clauses)]
    if rule.get("pairing", {}).get("mutual"):
        pairs += [(t, a) for t in targets for a in anchors if all(holds(c, a, t, mirrored=True) for c in clauses)]
    return pairs


def stages(rule):
    """The stages that a rule holds in."""
    return [s.removeprefix("STAGE_") for s in rule.get("stages", [])] or STAGES


def limits(policy, stage, surface="WEB"):
    """The policy's limits at a stage, on a surface."""
    found = dict(policy["limits"])
    for override in policy.get("overrides", []):
        if ("STAGE_" + stage in override.get("stages", ["STAGE_" + stage])
                and "SURFACE_" + surface in override.get("surfaces", ["SURFACE_" + surface])):
            found |= override["limits"]
    return found


def offered(rule, anchor, target, stage, policy, blocks):
    """Whether no gate that only catalog, rules and policy decide stops the target at the stage."""
    if stage not in stages(rule) or not sellable(target, stage):
        return False
    refill = rule["pairing"]["relation"] == "RELATION_REFILL"
    if not refill and family(anchor) == family(target):
        return False
    if anchor["category_path"] == target["category_path"] and not rule["pairing"].get("allows_same_category"):
        return False
    if target["price"]["minor_units"] * 100 > anchor["price"]["minor_units"] * limits(policy, stage)["price_proportion_max_percent"]:
        return False
    return not any(stage in stages(b) and not b.get("surfaces") and selects(b.get("anchor"), anchor)
                   and selects(b["target"], target) and all(holds(c, target, anchor) for c in b.get("match", []))
                   for b in blocks)


def sellable(product, stage):
    """Whether it can be bought, and arrive with the order where one is on its way."""
    if not product.get("in_stock", True) or product.get("stock_quantity", 1) < 1:
        return False
    state = product.get("availability", "IN_STOCK")
    return state == "IN_STOCK" or (state == "PREORDER" and stage != "ORDER_PLACED")


def product_faults(products):
    """What is wrong with the products."""
    ids = collections.Counter(p["product_id"] for p in products)
    yield from (f"product `{i}` is there {n} times" for i, n in ids.items() if n > 1)
    by_id = {p["product_id"]: p for p in products}
    for p in products:
        where = f"product `{p['product_id']}`"
        yield from (f"{where}: unknown field `{f}`" for f in p.keys() - PRODUCT_FIELDS)
        if p["kind"] not in ("DURABLE", "CONSUMABLE", "SERVICE"):
            yield f"{where}: kind {p['kind']}"
        if "days_of_supply" in p and p["kind"] != "CONSUMABLE":
            yield f"{where}: days_of_supply, but not a CONSUMABLE"
        if p["kind"] == "CONSUMABLE" and "days_of_supply" not in p:
            yield f"{where}: a CONSUMABLE without days_of_supply"
        if p.get("unit_cost", {"minor_units": 0})["minor_units"] >= p["price"]["minor_units"]:
            yield f"{where}: costs more than it is sold for"
        if family(by_id.get(family(p), p)) != family(p):
            yield f"{where}: its family names a product of another family"
        yield from (f"{where}: attribute `{n}` has no values" for n, v in p.get("attributes", {}).items() if not v)


def rule_faults(rule, products, policy, blocks):
    """What is wrong with one rule."""
    where = f"rule `{rule['rule_id']}`"
    yield from (f"{where}: unknown field `{f}`" for f in rule.keys() - RULE_FIELDS)
    yield from (f"{where}: unknown field `pairing.{f}`" for f in rule.get("pairing", {}).keys() - PAIRING_FIELDS)
    if sum(says in rule for says in ("pairing", "block", "boost")) != 1:
        yield f"{where}: says not exactly one thing"
    yield from (f"{where}: no product has {t}" for t in terms(rule) if not any(has(p, t) for p in products))
    yield from (f"{where}: unknown {s}" for s in rule.get("stages", []) if s.removeprefix("STAGE_") not in STAGES)
    yield from (f"{where}: unknown {s}" for s in rule.get("surfaces", []) if s.removeprefix("SURFACE_") not in SURFACES)
    if len(rule.get("windows", [])) > 16 or (rule.get("windows") and "until" in rule["windows"][-1]):
        yield f"{where}: more than 16 windows, or the last one ends, so that lint will complain one day"
    pairs = covered(rule, products)
    if not pairs:
        yield f"{where}: covers no pair of products"
    if "pairing" in rule:
        yield from pairing_faults(rule, where, pairs, policy, blocks)


def pairing_faults(rule, where, pairs, policy, blocks):
    """What is wrong with one pairing."""
    pairing = rule["pairing"]
    if "anchor" not in rule or not pairing.get("need") or not 0 <= pairing.get("position", 0) <= 20:
        yield f"{where}: no anchor, no need, or a position beyond 20"
    if pairing["relation"].removeprefix("RELATION_") not in RELATIONS:
        yield f"{where}: unknown relation {pairing['relation']}"
    used = set(re.findall(r"{{\s*(\w+)", pairing.get("sentence", "")))
    if used - SLOTS:
        yield f"{where}: its sentence uses {used - SLOTS}"
    for stage in stages(rule):
        if not any(offered(rule, a, t, stage, policy, blocks) for a, t in pairs) and not preordered(pairs, stage):
            yield f"{where}: nothing it pairs can be offered at {stage}"


def preordered(pairs, stage):
    """Whether a pairing shows what becomes of a pre-order before a delivery."""
    return stage == "ORDER_PLACED" and all(t.get("availability") == "PREORDER" for _, t in pairs)


def set_faults(products, rules, policy):
    """What is wrong with the store as a whole."""
    ids = collections.Counter(r["rule_id"] for r in rules)
    yield from (f"rule `{i}` is there {n} times" for i, n in ids.items() if n > 1)
    same = collections.Counter(json.dumps({k: v for k, v in r.items() if k not in ("rule_id", "note")}, sort_keys=True) for r in rules)
    yield from (f"said twice: {text}" for text, n in same.items() if n > 1)
    pairings = [r for r in rules if "pairing" in r]
    shown = {
        "relation": ({r["pairing"]["relation"].removeprefix("RELATION_") for r in pairings}, RELATIONS),
        "op": ({c["op"].removeprefix("MATCH_OP_") for r in rules for c in r.get("match", [])},
               ["SUPERSET", "SUBSET", "OVERLAPS", "EQUAL", "AT_LEAST", "AT_MOST", "WITHIN"]),
        "term": ({k for r in rules for t in terms(r) for k in t}, ["product_id", "family_id", "category", "tag", "attribute"]),
        "stage": ({s for r in pairings for s in stages(r)}, STAGES),
        "field": ({k for r in pairings for k in r["pairing"]} | {k for r in rules for k in r},
                  PAIRING_FIELDS | RULE_FIELDS - {"disabled"}),
        "state": ({p.get("availability", "IN_STOCK" if p.get("in_stock") else "OUT_OF_STOCK") for p in products},
                  ["IN_STOCK", "OUT_OF_STOCK", "PREORDER", "DISCONTINUED"]),
    }
    for what, (found, wanted) in shown.items():
        yield from (f"no rule or product shows {what} {w}" for w in wanted if w not in found)
    if len(products) < PRODUCTS_MIN or len(pairings) < PAIRINGS_MIN:
        yield f"{len(products)} products and {len(pairings)} pairings are too few"
    taken = {}
    for r in pairings:
        for stage in stages(r) if "position" in r["pairing"] else []:
            key = (json.dumps(r["anchor"], sort_keys=True), r["pairing"]["position"], stage)
            if key in taken:
                yield f"rule `{r['rule_id']}`: its position at {stage} is taken by `{taken[key]}`"
            taken[key] = r["rule_id"]
    if policy["name"] != "default":
        yield "the policy is not the default one"


def camera_faults(products, rules):
    """A camera never brings a camera."""
    for rule in rules:
        for anchor, target in covered(rule, products) if "pairing" in rule else []:
            if anchor["category_path"][1] == target["category_path"][-2] == "Cameras":
                yield f"rule `{rule['rule_id']}`: `{anchor['product_id']}` brings `{target['product_id']}`"


def journey(products, rules, policy, blocks, product_id):
    """Prints what each pairing could offer beside a product, stage by stage."""
    for stage in STAGES:
        print(f"{stage} (at most {limits(policy, stage)['offers_max']})")
        for rule in (r for r in rules if "pairing" in r):
            found = sorted(t["product_id"] for a, t in covered(rule, products)
                           if a["product_id"] == product_id and offered(rule, a, t, stage, policy, blocks))
            if found:
                pairing = rule["pairing"]
                print(f"  {pairing.get('position', '-')} {pairing['relation'].removeprefix('RELATION_'):18} "
                      f"{pairing['need']}: {', '.join(found)}")


def lines(path):
    """The documents of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, default=HERE)
    parser.add_argument("--journey", metavar="PRODUCT_ID", help="print what could be offered beside this product")
    options = parser.parse_args()
    products, rules = lines(options.folder / "products.jsonl"), lines(options.folder / "rules.jsonl")
    policy = json.loads((options.folder / "policy.json").read_text())
    blocks = [r for r in rules if "block" in r]
    if options.journey:
        return journey(products, rules, policy, blocks, options.journey)
    faults = [*product_faults(products), *set_faults(products, rules, policy), *camera_faults(products, rules),
              *(fault for rule in rules for fault in rule_faults(rule, products, policy, blocks))]
    print("\n".join(faults) if faults else "nothing is wrong")
    print(f"{len(products)} products in {len({family(p) for p in products})} families, {len(rules)} rules")
    counts = collections.Counter(r["pairing"]["relation"].removeprefix("RELATION_") for r in rules if "pairing" in r)
    counts += collections.Counter(says.upper() for r in rules for says in ("block", "boost") if says in r)
    print("\n".join(f"  {n:3} {name}" for name, n in counts.most_common()))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
