#!/usr/bin/env python3
"""Writes rules.jsonl: category pairings for the grocery catalog that fetch.py makes, written by hand after reading its categories.

    pairings.py --products PRODUCTS.jsonl --out RULES.jsonl [--orders ORDERS.jsonl]

A pairing of categories says nothing about which of 200 pasta sauces; with --orders the best sellers of each paired leaf are boosted.
"""

import argparse
import collections
import json
import sys

# At most so many targets of a pairing are looked at beside one anchor; a wider one is a mistake here.
TARGETS_MAX = 1_000
# Of a selector.
TERMS_MAX = 1_000
BOOSTED_PER_LEAF = 3
BOOST_FACTOR = 3.0
CART = ["STAGE_PRODUCT", "STAGE_CART", "STAGE_CHECKOUT"]
LATER = ["STAGE_DELIVERED", "STAGE_REPLENISH"]

G, D, P, B = "GROCERY > ", "DRUG GM > ", "PRODUCE > ", "PASTRY > "
M, MP = "MEAT > ", "MEAT-PCKGD > "
PASTA = G + "DRY NOODLES/PASTA"
TORTILLA_CHIPS = G + "BAG SNACKS > TORTILLA/NACHO CHIPS"
SALSA = G + "HISPANIC > MEXICAN SAUCESSALSAPICANTEE"
MILK = G + "FLUID MILK PRODUCTS > FLUID MILK WHITE ONLY"
BREAD = [G + "BAKED BREAD/BUNS/ROLLS > MAINSTREAM WHITE BREAD", G + "BAKED BREAD/BUNS/ROLLS > MAINSTREAM WHEAT/MULTIGRAIN BR"]
PATTIES = [M + "BEEF > PATTIES", MP + "MEAT - MISC > GRND/PATTY - FROZEN"]
SALAD = [P + "SALAD MIX", P + "VEGETABLES SALAD"]
GROUND_COFFEE = [G + "COFFEE > GROUND COFFEE", G + "COFFEE > GROUND FLVR REG COFFEE"]

# (id, need, anchors, targets): what goes with what, as ACCESSORY, at the stages in CART.
COMPLEMENTS = [
    ("pasta-sauce", "pasta sauce", [PASTA, G + "FRZN MEAT/MEAT DINNERS > FROZEN PASTA"], [G + "PASTA SAUCE"]),
    ("pasta-cheese", "grated cheese", [PASTA, G + "PASTA SAUCE"], [G + "CHEESE > GRATED CHEESE"]),
    ("pasta-garlic-bread", "garlic bread", [PASTA, G + "PASTA SAUCE"], [G + "FROZEN BREAD/DOUGH > FRZN GARLIC BREAD/TOAST/STICKS"]),
    ("sauce-pasta", "pasta", [G + "PASTA SAUCE"], [PASTA]),
    ("chips-salsa", "salsa", [TORTILLA_CHIPS], [SALSA]),
    ("chips-dip", "dip", [G + "BAG SNACKS > POTATO CHIPS"], [G + "MILK BY-PRODUCTS > REFRIG DIPS", G + "BAG SNACKS > DIPS (NON-REFRIGERATED)"]),
    ("salsa-chips", "tortilla chips", [SALSA], [TORTILLA_CHIPS]),
    ("cereal-milk", "milk", [G + "COLD CEREAL", G + "HOT CEREAL"], [MILK]),
    ("cereal-bananas", "bananas", [G + "COLD CEREAL"], [P + "TROPICAL FRUIT > BANANAS"]),
    ("oatmeal-syrup", "sweetener", [G + "HOT CEREAL > STANDARD OATMEAL"], [G + "PNT BTR/JELLY/JAMS > HONEY", G + "SUGARS/SWEETNERS > SUGAR"]),
    ("hot-dogs-buns", "hot dog buns", [MP + "HOT DOGS"], [G + "BAKED BREAD/BUNS/ROLLS > HOT DOG BUNS"]),
    ("hot-dogs-mustard", "mustard", [MP + "HOT DOGS"], [G + "CONDIMENTS/SAUCES > SALAD MUSTARD"]),
    ("hot-dogs-relish", "relish", [MP + "HOT DOGS"], [G + "PICKLE/RELISH/PKLD VEG > RELISHES"]),
    ("burgers-buns", "hamburger buns", PATTIES, [G + "BAKED BREAD/BUNS/ROLLS > HAMBURGER BUNS"]),
    ("burgers-cheese", "sliced cheese", PATTIES, [G + "CHEESE > IWS SINGLE CHEESE"]),
    ("burgers-catsup", "catsup", PATTIES, [G + "CONDIMENTS/SAUCES > CATSUP"]),
    ("burgers-pickles", "pickles", PATTIES, [G + "PICKLE/RELISH/PKLD VEG > PICKLES"]),
    ("buns-patties", "burgers", [G + "BAKED BREAD/BUNS/ROLLS > HAMBURGER BUNS"], PATTIES),
    ("fries-catsup", "catsup", [G + "FRZN POTATOES > FRZN FRENCH FRIES"], [G + "CONDIMENTS/SAUCES > CATSUP"]),
    ("ribs-bbq-sauce", "barbecue sauce", [M + "PORK > RIBS", M + "BEEF > RIBS"], [G + "CONDIMENTS/SAUCES > BBQ SAUCE"]),
    ("steak-sauce", "steak sauce", [M + "BEEF > CHOICE BEEF"], [G + "CONDIMENTS/SAUCES > MISC MEAT SAUCES"]),
    ("charcoal-patties", "something to grill", [D + "CHARCOAL AND LIGHTER FLUID > CHARCOAL"], PATTIES + [M + "PORK > RIBS"]),
    ("coffee-creamer", "creamer", [G + "COFFEE", "NUTRITION > DRY TEA/COFFEE/COCO MIX"],
     [G + "FLUID MILK PRODUCTS > REFRIGERATED COFFEE CREAMERS", G + "COFFEE > NON DAIRY CREAMER: DRY"]),
    ("coffee-sugar", "sugar", GROUND_COFFEE, [G + "SUGARS/SWEETNERS > SUGAR", G + "SUGARS/SWEETNERS > SWEETENERS"]),
    ("tea-honey", "honey", [G + "TEAS"], [G + "PNT BTR/JELLY/JAMS > HONEY"]),
    ("cocoa-marshmallows", "marshmallows", [G + "COCOA MIXES > HOT CHOCOLATE COCOA MIX"], [G + "BAKING NEEDS > MARSHMALLOWS"]),
    ("grahams-marshmallows", "marshmallows", [G + "COOKIES/CONES > GRAHAM CRACKERS"], [G + "BAKING NEEDS > MARSHMALLOWS"]),
    ("cookies-milk", "milk", [G + "COOKIES/CONES > SANDWICH COOKIES", G + "COOKIES/CONES > TRAY PACK/CHOC CHIP COOKIES"], [MILK]),
    ("peanut-butter-jelly", "jelly", [G + "PNT BTR/JELLY/JAMS > PEANUT BUTTER"], [G + "PNT BTR/JELLY/JAMS > JELLY", G + "PNT BTR/JELLY/JAMS > PRESERVES JAM MARMALADE"]),
    ("peanut-butter-bread", "bread", [G + "PNT BTR/JELLY/JAMS > PEANUT BUTTER"], BREAD),
    ("bagels-cream-cheese", "cream cheese", [G + "BAKED BREAD/BUNS/ROLLS > BAGELS", G + "REFRGRATD DOUGH PRODUCTS > REFRIGERATED BAGELS", B + "ROLLS > ROLLS: BAGELS"],
     [G + "CHEESE > CREAM CHEESE"]),
    ("lunchmeat-bread", "bread", [MP + "LUNCHMEAT", "DELI > DELI MEATS"], BREAD),
    ("lunchmeat-cheese", "cheese", ["DELI > DELI MEATS"], ["DELI > CHEESES > CHEESE: PROCESSED BULK", "DELI > CHEESES > CHEESE: NATURAL BULK"]),
    ("lunchmeat-mayonnaise", "mayonnaise", [MP + "LUNCHMEAT", G + "SEAFOOD - SHELF STABLE > TUNA"],
     [G + "SALD DRSNG/SNDWCH SPRD > SEMI-SOLID SALAD DRESSING MAY"]),
    ("pancakes-syrup", "syrup", [G + "MOLASSES/SYRUP/PANCAKE MIXS > PANCAKE MIXES", G + "FRZN BREAKFAST FOODS > WAFFLES/PANCAKES/FRENCH TOAST"],
     [G + "MOLASSES/SYRUP/PANCAKE MIXS > MOLASSES & SYRUPS"]),
    ("bacon-eggs", "eggs", [MP + "BACON", MP + "BREAKFAST SAUSAGE/SANDWICHES"], [G + "EGGS"]),
    ("cake-frosting", "frosting", [G + "BAKING MIXES > LAYER CAKE MIX"], [G + "BAKING MIXES > FROSTING"]),
    ("cake-candles", "birthday candles", [B + "CAKES > CAKES: BIRTHDAY/CELEBRATION SH", B + "CAKES > CAKES: LAYERS"],
     [G + "BAKING NEEDS > CAKE DECORS - BIRTHDAY CANDLES"]),
    ("flour-sugar", "sugar", [G + "FLOUR & MEALS > FLOUR: WHITE & SELF RISING"], [G + "SUGARS/SWEETNERS > SUGAR"]),
    ("flour-baking-powder", "baking powder", [G + "FLOUR & MEALS > FLOUR: WHITE & SELF RISING"], [G + "BAKING NEEDS > BAKING POWDER & SODA"]),
    ("pie-topping", "topping", [G + "FROZEN PIE/DESSERTS > FROZEN FRUIT PIES  & COBBLERS", B + "PIES > PIES: PUMPKIN/CUSTARD"],
     [G + "FROZEN PIE/DESSERTS > FRZN WHIPPED TOPPING", G + "MILK BY-PRODUCTS > AEROSOL TOPPINGS"]),
    ("ice-cream-topping", "ice cream topping", [G + "ICE CREAM/MILK/SHERBTS"], [G + "SYRUPS/TOPPINGS > ICE CREAM TOPPINGS"]),
    ("ice-cream-cones", "cones", [G + "ICE CREAM/MILK/SHERBTS"], [G + "COOKIES/CONES > CONES"]),
    ("strawberries-topping", "whipped topping", [P + "BERRIES > STRAWBERRIES"], [G + "FROZEN PIE/DESSERTS > FRZN WHIPPED TOPPING", G + "MILK BY-PRODUCTS > AEROSOL TOPPINGS"]),
    ("salad-dressing", "dressing", SALAD, [G + "SALD DRSNG/SNDWCH SPRD > POURABLE SALAD DRESSINGS", P + "PROCESSED > DRESSINGS"]),
    ("salad-croutons", "croutons", SALAD, [G + "CRACKERS/MISC BKD FD > CROUTONS SALAD TOPPERS BREAD", P + "PROCESSED > CROUTONS"]),
    ("salad-tomatoes", "tomatoes", SALAD, [P + "TOMATOES"]),
    ("soup-crackers", "crackers", [G + "SOUP"], [G + "CRACKERS/MISC BKD FD > SOUP CRACKERS (SALTINE/OYSTER)"]),
    ("chili-beans", "beans", [G + "DRY SAUCES/GRAVY > SAUCE MIXES GRAVY MIXES DRY"], [G + "BEANS - CANNED GLASS & MW > VARIETY BEANS - KIDNEY PINTO"]),
    ("tacos-seasoning", "seasoning", [G + "HISPANIC > MEXICAN TACO TOSTADO SHELLS", G + "HISPANIC > MEXICAN SOFT TORTILLAS AND WRA"], [G + "HISPANIC > MEXICAN SEASONING MIXES"]),
    ("tacos-cheese", "shredded cheese", [G + "HISPANIC > MEXICAN TACO TOSTADO SHELLS", G + "HISPANIC > MEXICAN DINNERS AND FOODS"], [G + "CHEESE > SHREDDED CHEESE"]),
    ("tacos-sour-cream", "sour cream", [G + "HISPANIC > MEXICAN DINNERS AND FOODS", G + "HISPANIC > MEXICAN SOFT TORTILLAS AND WRA"], [G + "MILK BY-PRODUCTS > SOUR CREAMS"]),
    ("stir-fry-soy-sauce", "soy sauce", [G + "HISPANIC > ORIENTAL NOODLES RICE", G + "HISPANIC > ORIENTAL VEGETABLES"], [G + "HISPANIC > ORIENTAL SOY SAUCE"]),
    ("turkey-stuffing", "stuffing", [M + "TURKEY"], [G + "DINNER MXS:DRY > STUFFING MIXES"]),
    ("turkey-cranberry", "cranberry sauce", [M + "TURKEY"], [G + "FRUIT - SHELF STABLE > CRANBERRY SAUCE"]),
    ("potatoes-butter", "butter", [P + "POTATOES"], [G + "BUTTER", G + "MARGARINES > MARGARINE: TUBS AND BOWLS"]),
    ("fish-lemon", "lemons", ["SEAFOOD > SEAFOOD-FRESH"], [P + "CITRUS > LEMONS"]),
    ("shrimp-cocktail-sauce", "cocktail sauce", ["SEAFOOD-PCKGD > SEAFOOD - FROZEN > SEAFOOD-FRZ-IQF RAW SHRIMP RW"], [G + "CONDIMENTS/SAUCES > CHILI SAUCE COCKTAIL SAUCE"]),
    ("tonic-limes", "citrus", [G + "SOFT DRINKS > MIXERS(TONIC WTR/GNGR ALE)FLAV"], [P + "CITRUS > LEMONS"]),
    ("liquor-mixers", "mixer", ["SPIRITS > LIQUOR > TRADITIONAL VODKA"], [G + "SOFT DRINKS > MIXERS(TONIC WTR/GNGR ALE)FLAV", G + "LIQUOR > COCKTAIL MIXES-FLUID:ADD LIQ"]),
    ("wine-cheese", "cheese", [G + "DOMESTIC WINE", G + "IMPORTED WINE"], ["DELI > CHEESES > CHEESE:SPECIALTY PREPACK"]),
    ("beer-snacks", "snack", [G + "BEERS/ALES"], [G + "BAG SNACKS > PRETZELS"]),
    ("plates-cups", "cups", [G + "PAPER HOUSEWARES > BASIC PAPER PLATES", G + "PAPER HOUSEWARES > FOAM PLATES"], [G + "PAPER HOUSEWARES > PLASTIC CUPS"]),
    ("shampoo-conditioner", "conditioner", [D + "HAIR CARE PRODUCTS > SHAMPOO"], [D + "HAIR CARE PRODUCTS > HAIR CONDITIONERS AND RINSES"]),
    ("razors-foam", "shaving cream", [D + "SHAVING CARE PRODUCTS > RAZORS AND BLADES"], [D + "SHAVING CARE PRODUCTS > SHAVE CREAMS AND POWDERS"]),
    ("toothbrush-toothpaste", "toothpaste", [D + "ORAL HYGIENE PRODUCTS > ORAL HYGIENE BRUSHES"], [D + "ORAL HYGIENE PRODUCTS > TOOTHPASTE"]),
    ("detergent-softener", "softener", [G + "LAUNDRY DETERGENTS"], [G + "LAUNDRY ADDITIVES > FABRIC SOFTENER LIQUID", G + "LAUNDRY ADDITIVES > FABRIC SOFTENER SHEETS"]),
    ("dog-food-treats", "dog treats", [G + "DOG FOODS > DRY DOG FOOD PREMIUM (ALPO/PUR", G + "DOG FOODS > DRY DOG FOOD SUPER PREM (ONE/N"], [G + "DOG FOODS > DOG TREATS (SOFT TREATS)", G + "DOG FOODS > DOG BISCUITS (HARD BISCUIT)"]),
    ("cards-wrap", "gift wrap", [D + "GREETING CARDS/WRAP/PARTY SPLY > CARDS EVERYDAY"], [D + "GREETING CARDS/WRAP/PARTY SPLY > GIFT-WRAP EVERYDAY"]),
]

# What an anchor uses up, at every stage from the product page to the next order.
CONSUMED = [
    ("coffee-filters", "coffee filters", GROUND_COFFEE, [D + "COFFEE FILTERS > COFFEE FILTERS"]),
    ("litter-cat-food", "cat litter", [G + "CAT FOOD > DRY CAT FOOD (CAT CHOW/FRISKIE", G + "CAT FOOD > DRY CAT FOOD SUP PREM (ONE/NUT"], [G + "CAT LITTER > SCOOP LITTER", G + "CAT LITTER > CONVENTIONAL LITTER"]),
    ("diapers-wipes", "baby wipes", [D + "DIAPERS & DISPOSABLES > BABY DIAPERS"], [D + "BABY HBC > BABY WIPES"]),
    ("toys-batteries", "batteries", [D + "TOYS AND GAMES"], [D + "BATTERIES > ALKALINE BATTERIES"]),
    ("charcoal-lighter", "lighter fluid", [D + "CHARCOAL AND LIGHTER FLUID > CHARCOAL"], [D + "CHARCOAL AND LIGHTER FLUID > CHARCOAL LIGHTER FLUID/UTILITY"]),
    ("dishwasher-rinse-aid", "rinse aid", [G + "DISHWASH DETERGENTS > AUTOMATIC DISHWASHER DETERGENT", G + "DISHWASH DETERGENTS > AUTO DISH DETERGENT - GEL"], [G + "DISHWASH DETERGENTS > RINSE AIDS AND ACCESSORIES"]),
]

# What never goes together.
BLOCKS = [
    ("block-baby-alcohol", [D + "DIAPERS & DISPOSABLES", D + "INFANT FORMULA", D + "BABY FOODS"], [G + "BEERS/ALES", G + "DOMESTIC WINE", G + "IMPORTED WINE", "SPIRITS"]),
    ("block-tobacco", None, [D + "CIGARETTES", D + "CIGARS", D + "TOBACCO OTHER"]),
]


def selector(categories):
    """A selector of any of the categories."""
    return {"any_of": [{"category": {"path": name.split(" > ")}} for name in categories]}


def pairings(written, relation, stages):
    """Rules for the pairings of one kind."""
    for rule_id, need, anchors, targets in written:
        yield {"rule_id": rule_id, "pairing": {"relation": relation, "need": need}, "anchor": selector(anchors),
               "target": selector(targets), "stages": stages}


def blocks():
    """Rules for the blocks."""
    for rule_id, anchors, targets in BLOCKS:
        yield {"rule_id": rule_id, "block": {}, **({"anchor": selector(anchors)} if anchors else {}), "target": selector(targets)}


def paths(rule, side):
    """The category paths of a rule's selector."""
    return [tuple(term["category"]["path"]) for term in rule.get(side, {}).get("any_of", []) if "category" in term]


def best_sellers(rules, leaves, orders):
    """A boost for the products most often ordered in each leaf that a pairing offers from."""
    sold = collections.Counter(line["product_id"] for order in orders for line in order["lines"])
    paired = {path for rule in rules if "pairing" in rule for path in paths(rule, "target")}
    top = set()
    for leaf, ids in leaves.items():
        if any(leaf[:len(path)] == path for path in paired):
            top |= set(sorted((i for i in ids if sold[i]), key=lambda i: (-sold[i], i))[:BOOSTED_PER_LEAF])
    terms = [{"product_id": i} for i in sorted(top)]
    for start in range(0, len(terms), TERMS_MAX):
        yield {"rule_id": f"boost-best-sellers-{start // TERMS_MAX}", "boost": {"factor": BOOST_FACTOR},
               "target": {"any_of": terms[start:start + TERMS_MAX]}}


def faults(rules, leaves):
    """Categories that the catalog does not have, and pairings that are too wide or say nothing."""
    counts = collections.Counter()
    for leaf, ids in leaves.items():
        for depth in range(1, len(leaf) + 1):
            counts[leaf[:depth]] += len(ids)
    for rule in rules:
        for side in ("anchor", "target"):
            yield from (f"{rule['rule_id']}: no product in {' > '.join(path)}" for path in paths(rule, side) if not counts[path])
        wide = sum(counts[path] for path in paths(rule, "target"))
        if "pairing" in rule and wide > TARGETS_MAX:
            yield f"{rule['rule_id']}: {wide} targets"
    yield from (f"{i}: there {n} times" for i, n in collections.Counter(r["rule_id"] for r in rules).items() if n > 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", required=True)
    parser.add_argument("--orders")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    leaves = collections.defaultdict(list)
    for product in map(json.loads, open(options.products)):
        leaves[tuple(product["category_path"])].append(product["product_id"])
    rules = [*pairings(COMPLEMENTS, "RELATION_ACCESSORY", CART), *pairings(CONSUMED, "RELATION_CONSUMABLE", CART + LATER), *blocks()]
    if options.orders:
        rules += best_sellers(rules, leaves, map(json.loads, open(options.orders)))
    wrong = list(faults(rules, leaves))
    for fault in wrong:
        print(fault, file=sys.stderr)
    with open(options.out, "w") as out:
        out.writelines(json.dumps(rule, separators=(",", ":")) + "\n" for rule in rules)
    print(f"{options.out}: {sum('pairing' in r for r in rules)} pairings, {len(rules)} rules")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
