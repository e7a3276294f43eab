#!/usr/bin/env python3
"""Makes shops of other shapes from *The Complete Journey*, to see whether one set of defaults serves them all.

    shapes.py --products /tmp/cj/products.jsonl --orders /tmp/cj/orders.jsonl --out /tmp/cj/shapes

Each shape is a folder with products.jsonl and orders.jsonl. What is drawn at random is the same each time.

restaurant   120 dishes (the largest categories) under one level of categories, orders of one to six, nobody known
wholesale    4,000 products without categories, all that a household buys in about ten days as one order
short        six weeks
small        2,000 orders of 300 products
sparse       the whole catalog, a quarter of the orders, of one to three products
"""

import argparse
import collections
import json
import pathlib
import random

SEED = 7


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ids(order):
    return [line["product_id"] for line in order["lines"]]


def remade(order, products):
    """The order with these products in the place of its own, each once."""
    lines = [{"product_id": product, "quantity": 1} for product in dict.fromkeys(products)]
    return {**{key: order[key] for key in ("order_id", "shopper_id", "placed_at") if key in order}, "lines": lines}


def placed(orders, first, last):
    return [order for order in orders if first <= order["placed_at"] < last]


def restaurant(products, orders, draw):
    dish = {product["product_id"]: " ".join(product["category_path"][:2]) for product in products}
    sold = collections.Counter(dish[product] for order in orders for product in ids(order))
    menu = {name: f"dish-{number:03}" for number, (name, _) in enumerate(sold.most_common(120))}
    price = {"currency": "USD", "minor_units": 500}
    dishes = [
        {"product_id": dish_id, "title": name, "category_path": [name.split(" ")[0]], "price": price, "in_stock": True}
        for name, dish_id in menu.items()
    ]
    meals = []
    for order in draw.sample(orders, 30_000):
        wanted = list(dict.fromkeys(menu[dish[product]] for product in ids(order) if dish[product] in menu))
        size = min(draw.choice([1, 2, 2, 3, 3, 4, 5, 6]), len(wanted))
        if wanted:
            meals.append({**remade(order, draw.sample(wanted, size)), "shopper_id": ""})
    return dishes, meals


def wholesale(products, orders, _):
    sold = collections.Counter(product for order in orders for product in ids(order))
    kept = {product for product, _ in sold.most_common(4_000)}
    goods = [
        {key: value for key, value in product.items() if key != "category_path"}
        for product in products
        if product["product_id"] in kept
    ]
    joined = {}
    for order in orders:
        third = min(int(order["placed_at"][8:10]) - 1, 29) // 10
        key = (order["shopper_id"], order["placed_at"][:7], third)
        joined.setdefault(key, (order, []))[1].extend(product for product in ids(order) if product in kept)
    return goods, [remade(order, wanted) for order, wanted in joined.values() if wanted]


def short(products, orders, _):
    return products, placed(orders, "2017-10-01", "2017-11-12")


def small(products, orders, draw):
    sold = collections.Counter(product for order in orders for product in ids(order))
    kept = {product for product, _ in sold.most_common(300)}
    own = [(order, [product for product in ids(order) if product in kept]) for order in placed(orders, "2017-06", "2017-12")]
    several = [remade(order, wanted) for order, wanted in own if len(wanted) > 1]
    return [product for product in products if product["product_id"] in kept], draw.sample(several, 2_000)


def sparse(products, orders, draw):
    few = [(order, draw.choice([1, 1, 1, 1, 2, 2, 3])) for order in orders if draw.random() < 0.25]
    return products, [remade(order, draw.sample(ids(order), min(size, len(order["lines"])))) for order, size in few]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("products", "orders", "out"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    args = parser.parse_args()
    products = read(args.products)
    orders = sorted(read(args.orders), key=lambda order: (order["placed_at"], order["order_id"]))
    for shape in (restaurant, wholesale, short, small, sparse):
        folder = args.out / shape.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in zip(("products", "orders"), shape(products, orders, random.Random(SEED)), strict=True):
            with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as out:
                out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
