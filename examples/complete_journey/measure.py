#!/usr/bin/env python3
"""Measures a running Sidecart that holds *The Complete Journey*, over one connection with one call at a time.

    measure.py --orders ORDERS.jsonl [--addr 127.0.0.1:50051] [--merchant cj] [--count 5000]

Questions are the product pages and carts of real orders, under the policy `open`. A change lowers the price of an offered product
by a cent, and counts as visible with the first answer that shows it. Needs what `examples/python/requirements.txt` names.
"""

import argparse
import importlib
import json
import pathlib
import sys
import tempfile
import time

import grpc
import grpc_tools
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
CHANGES = 200
LINES_MAX = 500
PATIENCE_SECONDS = 10


def stubs(out):
    """Generates modules for every file of proto/ into the folder and returns a loader for them."""
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("sidecart/v1/*.proto"))
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    if protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files]) != 0:
        raise SystemExit("proto/ does not compile")
    sys.path.insert(0, out)
    return lambda name: importlib.import_module(f"sidecart.v1.{name}")


def questions(pb, orders, merchant, count):
    """A product page and a cart for each of as many orders."""
    with open(orders) as lines:
        for _, line in zip(range(count), lines):
            ids = list(dict.fromkeys(item["product_id"] for item in json.loads(line)["lines"]))[:LINES_MAX]
            policy = pb.PolicyChoice(name="open")
            yield "page", pb.RecommendRequest(merchant_id=merchant, stage="STAGE_PRODUCT", anchor_ids=ids[:1], policy=policy)
            cart = [pb.CartLine(product_id=product) for product in ids]
            yield "cart", pb.RecommendRequest(merchant_id=merchant, stage="STAGE_CART", cart=cart, policy=policy)


def milliseconds(name, times):
    """Prints median and 99th percentile."""
    times = sorted(times)
    at = lambda share: 1e3 * times[min(len(times) - 1, int(share * len(times)))]
    print(f"{name}: median {at(0.5):.2f} ms, p99 {at(0.99):.2f} ms ({len(times)})")


def visible_after(recommend, set_offers, pb, asked, offer):
    """How long it takes until an answer shows the new price."""
    wanted = offer.price.minor_units - 1
    update = pb.OfferUpdate(product_id=offer.product_id, price={"currency": offer.price.currency, "minor_units": wanted})
    began = time.monotonic()
    written = set_offers.future(pb.SetOffersRequest(merchant_id=asked.merchant_id, offers=[update]))
    while time.monotonic() < began + PATIENCE_SECONDS:
        answer = recommend(asked)
        if any(o.product_id == offer.product_id and o.price.minor_units == wanted for o in answer.offers):
            took = time.monotonic() - began
            written.result()
            return took
    raise SystemExit(f"the new price of {offer.product_id} is never shown")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", required=True)
    parser.add_argument("--addr", default="127.0.0.1:50051")
    parser.add_argument("--merchant", default="cj")
    parser.add_argument("--count", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out, grpc.insecure_channel(options.addr) as channel:
        load = stubs(out)
        ask, catalog = load("recommendation_service_pb2"), load("catalog_service_pb2")
        recommend = load("recommendation_service_pb2_grpc").RecommendationServiceStub(channel).Recommend
        set_offers = load("catalog_service_pb2_grpc").CatalogServiceStub(channel).SetOffers
        times, lines, changes = {"page": [], "cart": []}, [], {}
        for kind, asked in questions(ask, options.orders, options.merchant, options.count):
            began = time.monotonic()
            answer = recommend(asked)
            times[kind].append(time.monotonic() - began)
            if kind == "cart":
                lines.append(len(asked.cart))
            for offer in answer.offers:
                changes.setdefault(offer.product_id, asked)
        milliseconds("Recommend for a page", times["page"])
        milliseconds(f"Recommend for a cart, {sum(lines) / len(lines):.1f} lines on average, {max(lines)} at most", times["cart"])
        visible = []
        for product, asked in list(changes.items())[:CHANGES]:
            offers = [offer for offer in recommend(asked).offers if offer.product_id == product]
            visible += [visible_after(recommend, set_offers, catalog, asked, offer) for offer in offers]
        milliseconds("a new price is visible after", visible)


if __name__ == "__main__":
    main()
