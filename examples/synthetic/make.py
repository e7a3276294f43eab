#!/usr/bin/env python3
"""Writes a made-up catalog, rules and queries of any size, the same for the same seed. Nothing but Python is needed.

    make.py --out FOLDER [--products 1000000] [--pairings 200000] [--queries 10000] [--seed 1]

Products stand in families of three (variants differ in colour and price) and in 2,000 leaf categories of three levels, some larger
than others. A category has 25 `system`s and 25 tags, which its leaves share; one product in four fits two systems.
Of 100 pairings, 60 go from a product to 1 to 4 products, 20 from a product to a tag with match clauses, 15 from a leaf to
another leaf of the category with a match clause, and 5 from a family to a family.
Beside 100 pairings there is 1 block, and beside 200 there is 1 boost, as far as the rules that a merchant may have leave room.
"""

import argparse
import json
import pathlib
import random
import time

DEPARTMENTS, CATEGORIES, LEAVES = 10, 20, 10  # each in one of those before it
CATEGORY_COUNT = DEPARTMENTS * CATEGORIES
LEAF_COUNT = CATEGORY_COUNT * LEAVES
FAMILY_SIZE = 3
SYSTEMS, TAGS = 25, 25  # of a category
COLOURS = ["black", "white", "silver", "red", "blue", "green", "sand", "olive"]
MATERIALS = ["steel", "oak", "cotton", "glass", "leather", "ceramic", "aluminium", "linen"]
NOUNS = ["stand", "lamp", "case", "filter", "mount", "cable", "cover", "battery", "brush", "tray", "clip", "handle"]
RELATIONS = ["ACCESSORY"] * 10 + ["REQUIRED_ACCESSORY"] * 2 + ["CONSUMABLE"] * 3 + ["PROTECTION"] * 2 + ["BUNDLE_PART"] * 2 + ["SERVICE"]
STAGES = ["PRODUCT", "CART", "CHECKOUT", "ORDER_PLACED", "DELIVERED"]
RULES_MAX = 200_000  # of a merchant
MASK = (1 << 64) - 1


def mixed(number, salt):
    """A number that looks random and depends on nothing else (the finaliser of splitmix64)."""
    z = (number * 0x9E3779B97F4A7C15 + salt) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Store:
    """Where each family stands. Everything about a product follows from its number and the seed."""

    def __init__(self, products, seed):
        self.products, self.seed = products, seed
        self.families = (products + FAMILY_SIZE - 1) // FAMILY_SIZE
        self.by_category = [[] for _ in range(CATEGORY_COUNT)]
        for family in range(self.families):
            self.by_category[self.leaf(family) // LEAVES].append(family)

    def random(self, family):
        return mixed(family, self.seed)

    def leaf(self, family):
        """The leaf of a family. The power makes the first ones larger; the product spreads them over the departments."""
        share = (self.random(family) >> 11) / (1 << 53)
        return int(share ** 1.2 * LEAF_COUNT) * 1_009 % LEAF_COUNT

    def near(self, family, dice):
        """A family of the same category; hardly ever the same one."""
        return dice.choice(self.by_category[self.leaf(family) // LEAVES])

    def some_product(self, dice):
        """A product, the first ones more often, as shoppers look at some more often than at others."""
        return int(dice.random() ** 2 * self.products)

    def product_of(self, family, dice):
        """A product of a family."""
        return min(family * FAMILY_SIZE + dice.randrange(FAMILY_SIZE), self.products - 1)


def names(leaf):
    """The path of a leaf."""
    category = leaf // LEAVES
    return f"Department {category // CATEGORIES}", f"Category {category}", f"Leaf {leaf}"


def system(leaf, random_bits):
    """What products fit: one system of their category."""
    return f"sys-{leaf // LEAVES}-{random_bits % SYSTEMS}"


def tag(leaf, random_bits):
    """A tag that products of several leaves of a category share."""
    return f"tag-{leaf // LEAVES}-{random_bits % TAGS}"


def products(store):
    """The lines of products.jsonl."""
    for number in range(store.products):
        family, variant = divmod(number, FAMILY_SIZE)
        bits = store.random(family)
        leaf = store.leaf(family)
        department, category, name = names(leaf)
        own = mixed(number, store.seed + 1)
        low, high = bits >> 8, own >> 8
        price = 300 + (low % 97) ** 2 * (5 + low % 11) + variant * 200
        stock = high % 400
        days = f'"days_of_supply":{10 + low % 110},"kind":"CONSUMABLE"' if low % 5 == 0 else '"kind":"DURABLE"'
        availability = '"availability":"OUT_OF_STOCK"' if stock < 8 else '"in_stock":true'
        wide = ',"sale"' if high % 9 == 0 else ""
        second = f',"{system(leaf, (low >> 12) + 1)}"' if low % 4 == 0 else ""
        noun, material, colour = NOUNS[leaf % 12], MATERIALS[(low >> 4) % 8], COLOURS[(low + variant) % 8]
        yield (f'{{"product_id":"p{number:07}","title":"Brand {low % 900} {material} {noun} {family % 9999}, {colour}",'
               f'"family_id":"f{family:07}","category_path":["{department}","{category}","{name}"],'
               f'"price":{{"currency":"USD","minor_units":{price}}},"unit_cost":{{"currency":"USD","minor_units":{price * 6 // 10}}},'
               f'{availability},"stock_quantity":{stock},{days},'
               f'"attributes":{{"brand":["brand {low % 900}"],"material":["{material}"],"colour":["{colour}"],'
               f'"system":["{system(leaf, low >> 12)}"{second}],"load_kg":[{1 + (low >> 20) % 40}]}},'
               f'"tags":["{tag(leaf, low >> 24)}"{wide}]}}\n')


def rules(store, count, dice):
    """The lines of rules.jsonl."""
    room = RULES_MAX - count
    for number in range(count):
        share = number % 100
        family = store.some_product(dice) // FAMILY_SIZE
        if share < 60:
            says = product_to_products(store, family, dice)
        elif share < 80:
            says = product_to_tag(store, family, dice)
        elif share < 95:
            says = leaf_to_leaf(store, dice)
        else:
            says = family_to_family(store, family, dice)
        yield f'{{"rule_id":"r{number:06}","pairing":{pairing(number, dice)},{says}{stages(dice)}}}\n'
        if share == 0 and room > 0:
            room -= 1
            yield f'{{"rule_id":"b{number:06}","block":{{}},{product_to_products(store, family, dice)}}}\n'
        if number % 200 == 50 and room > 0:
            room -= 1
            yield f'{{"rule_id":"s{number:06}","boost":{{"factor":{dice.choice([0.5, 0.8, 1.5, 2.0])}}},{sale(dice)}}}\n'


def pairing(number, dice):
    """What a pairing says beside its selectors. One in four leaves the need to the target's leaf."""
    need = f',"need":"need {dice.randrange(400)}"' if number % 4 else ""
    position = f',"position":{1 + dice.randrange(3)}' if number % 50 == 7 else ""
    return f'{{"relation":"RELATION_{dice.choice(RELATIONS)}"{need}{position}}}'


def stages(dice):
    """One rule in three holds at some stages only."""
    a, b = dice.sample(STAGES, 2)
    return f',"stages":["STAGE_{a}","STAGE_{b}"]' if dice.random() < 0.33 else ""


def any_of(kind, ids):
    """A selector of any of some ids."""
    return '{"any_of":[' + ",".join(f'{{"{kind}":"{i}"}}' for i in ids) + "]}"


def category(leaf):
    """A term for a leaf."""
    return '{"category":{"path":["%s","%s","%s"]}}' % names(leaf)


def product_to_products(store, family, dice):
    """Selectors from a product to 1 to 4 of its category."""
    anchor = store.product_of(family, dice)
    targets = {store.product_of(store.near(family, dice), dice) for _ in range(1 + dice.randrange(4))} - {anchor}
    targets = targets or {(anchor + FAMILY_SIZE) % store.products}
    return f'"anchor":{any_of("product_id", [f"p{anchor:07}"])},"target":{any_of("product_id", [f"p{t:07}" for t in sorted(targets)])}'


def product_to_tag(store, family, dice):
    """Selectors from a product to a tag, where target and anchor fit one system or the target carries as much."""
    anchor, leaf = store.product_of(family, dice), store.leaf(family)
    clause = ('{"target_attribute":"system","op":"MATCH_OP_OVERLAPS"}' if dice.random() < 0.5 else
              '{"target_attribute":"load_kg","op":"MATCH_OP_AT_LEAST"},{"target_attribute":"material","op":"MATCH_OP_EQUAL"}')
    wanted = tag(leaf, store.random(store.near(family, dice)) >> 32)
    return f'"anchor":{any_of("product_id", [f"p{anchor:07}"])},"target":{any_of("tag", [wanted])},"match":[{clause}]'


def leaf_to_leaf(store, dice):
    """Selectors from a leaf to another of its category, for what fits the same system."""
    leaf = dice.randrange(LEAF_COUNT)
    other = leaf // LEAVES * LEAVES + (leaf + 1 + dice.randrange(LEAVES - 1)) % LEAVES
    op = dice.choice(["OVERLAPS", "SUPERSET", "EQUAL"])
    return (f'"anchor":{{"any_of":[{category(leaf)}]}},"target":{{"any_of":[{category(other)}],"none_of":[{{"tag":"sale"}}]}},'
            f'"match":[{{"target_attribute":"system","op":"MATCH_OP_{op}"}}]')


def family_to_family(store, family, dice):
    """Selectors from a family to another of its category."""
    return f'"anchor":{any_of("family_id", [f"f{family:07}"])},"target":{any_of("family_id", [f"f{store.near(family, dice):07}"])}'


def sale(dice):
    """The selector of what is on sale in a leaf."""
    return f'"target":{{"all_of":[{category(dice.randrange(LEAF_COUNT))},{{"tag":"sale"}}]}}'


def queries(store, count, dice):
    """Lines for `sidecart recommend --batch`: half a product page, half a cart of 1 to 5."""
    for number in range(count):
        ids = [f"p{store.some_product(dice):07}" for _ in range(1 if number % 2 else 1 + dice.randrange(5))]
        asked = {"stage": "STAGE_PRODUCT", "anchor_ids": ids} if number % 2 else {
            "stage": "STAGE_CART", "cart": [{"product_id": i, "quantity": 1} for i in dict.fromkeys(ids)]}
        yield json.dumps({"id": f"q{number}"} | asked) + "\n"


def write(path, lines):
    """Writes lines and says how many and how fast."""
    began, count = time.monotonic(), 0
    with open(path, "w", buffering=1 << 20) as file:
        for count, line in enumerate(lines, 1):
            file.write(line)
    print(f"{path}: {count} lines, {path.stat().st_size / 1e6:.1f} MB, {time.monotonic() - began:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--pairings", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    store = Store(options.products, options.seed)
    write(options.out / "products.jsonl", products(store))
    write(options.out / "rules.jsonl", rules(store, options.pairings, random.Random(options.seed)))
    write(options.out / "queries.jsonl", queries(store, options.queries, random.Random(options.seed + 1)))


if __name__ == "__main__":
    main()
