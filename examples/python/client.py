#!/usr/bin/env python3
"""Asks a running Sidecart what goes with a product, at each stage of the journey.

Makes its stubs from proto/ alone, when it starts. Exits with 1 when a stage brings no offer or a call goes wrong.
"""

import argparse
import importlib
import pathlib
import sys
import tempfile

import grpc
import grpc_tools
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
STAGES = ["STAGE_PRODUCT", "STAGE_CART", "STAGE_CHECKOUT", "STAGE_ORDER_PLACED", "STAGE_DELIVERED"]
DEADLINE_SECONDS = 5


def stubs(out):
    """Generates modules for every file of proto/ into the folder and returns the one with the messages and its services."""
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("sidecart/v1/*.proto"))
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    args = ["protoc", f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main([*args, *files]) != 0:
        raise SystemExit("proto/ does not compile")
    sys.path.insert(0, out)
    load = importlib.import_module
    return load("sidecart.v1.recommendation_service_pb2"), load("sidecart.v1.recommendation_service_pb2_grpc")


def question(pb, merchant, stage, anchor):
    """What is asked about the anchor: it stands on the page, in the cart or in the order, as the stage has it."""
    asked = pb.RecommendRequest(merchant_id=merchant, stage=stage, surface="SURFACE_WEB")
    if stage == "STAGE_PRODUCT":
        asked.anchor_ids.append(anchor)
    elif stage in ("STAGE_CART", "STAGE_CHECKOUT"):
        asked.cart.add(product_id=anchor, quantity=1)
    else:
        asked.order.order_id = "example-1"
        asked.order.lines.add(product_id=anchor, quantity=1)
    return asked


def price(money):
    """Money for people; every currency as if it had cents, which an example may."""
    return f"{money.minor_units / 100:.2f} {money.currency}"


def show(stage, answer):
    """Prints one answer and returns how many offers it has."""
    print(f"{stage}: {len(answer.offers)} offers, {answer.reason}")
    for offer in answer.offers:
        print(f"  {offer.product_id} ({price(offer.price)}): {offer.reason.text}")
    return len(answer.offers)


def refusal(error):
    """The field violations that a refused call carries."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        bad_request = error_details_pb2.BadRequest()
        if detail.Unpack(bad_request):
            yield from bad_request.field_violations


def show_refusal(client, pb, merchant, anchor):
    """Asks without a stage, which is refused, and prints what to fix. Returns whether the server said so."""
    try:
        client.Recommend(pb.RecommendRequest(merchant_id=merchant, anchor_ids=[anchor]), timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        fields = list(refusal(error))
        print(f"without a stage: {error.code().name}")
        for violation in fields:
            print(f"  {violation.field}: {violation.description}")
        return bool(fields)
    print("without a stage: answered, though it should be refused")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addr", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--merchant", default="demo")
    parser.add_argument("--anchor", required=True, help="id of the product that the shopper looks at")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out, grpc.insecure_channel(options.addr) as channel:
        pb, services = stubs(out)
        client = services.RecommendationServiceStub(channel)
        counts = []
        for stage in STAGES:
            asked = question(pb, options.merchant, stage, options.anchor)
            counts.append(show(stage, client.Recommend(asked, timeout=DEADLINE_SECONDS)))
        refused = show_refusal(client, pb, options.merchant, options.anchor)
    return 0 if all(counts) and refused else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
