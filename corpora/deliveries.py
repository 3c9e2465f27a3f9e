#!/usr/bin/env python3
"""Writes deliveries.csv: made-up parcels, with columns that hang together. Ours, free for all."""
import os
import random


def main():
    dice = random.Random(1)
    rows = ["town,service,weight_kg,distance_km,price_eur,signed,rating"]
    towns = {"Aldford": (12, 4), "Brimley": (85, 20), "Castow": (240, 60), "Dunhaven": (600, 90)}
    for _ in range(800):
        town = dice.choices(list(towns), weights=[50, 30, 15, 5])[0]
        service = dice.choices(["standard", "express", "freight"], weights=[70, 22, 8])[0]
        weight = dice.lognormvariate(3.6 if service == "freight" else 0.4, 0.5)
        distance = max(1, round(dice.gauss(*towns[town])))
        price = (3 + 0.8 * weight + 0.01 * distance) * {"standard": 1, "express": 1.8, "freight": 0.7}[service]
        signed = "yes" if price > 9 or dice.random() < 0.1 else "no"
        rating = "" if dice.random() < 0.3 else str(dice.choices([1, 2, 3, 4, 5], weights=[3, 4, 12, 35, 46])[0])
        rows.append(f"{town},{service},{weight:.2f},{distance},{price:.2f},{signed},{rating}")
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "deliveries.csv"), "w") as file:
        file.write("\n".join(rows) + "\n")


main()
