"""The shapes that a formula may have: one struct each, its parameters and nothing computed."""

from indicators.contracts.shapes.counts import Counted, ExceededCount
from indicators.contracts.shapes.flood import RateOfRise, Stage, StageBand, TimeToThreshold
from indicators.contracts.shapes.heat import ExtremeDay, HeatIndex
from indicators.contracts.shapes.levels import DayEveningNight, EnergyMean, ExceededLevel
from indicators.contracts.shapes.means import HighestIndex, MeanBand, MeanIndex, MeanValue, NowCast
from indicators.contracts.shapes.parking import HeldLevel, HeldShare
from indicators.contracts.shapes.period import Period
from indicators.contracts.shapes.traffic import SpaceMeanSpeed, TimeMean
from indicators.contracts.shapes.waste import Collection, DaysToFull, FillLevel, FillRate
from indicators.contracts.shapes.water import RegisterUse

__all__ = [
    "Collection",
    "Counted",
    "DayEveningNight",
    "DaysToFull",
    "EnergyMean",
    "ExceededCount",
    "ExceededLevel",
    "ExtremeDay",
    "FillLevel",
    "FillRate",
    "Formula",
    "HeatIndex",
    "HeldLevel",
    "HeldShare",
    "HighestIndex",
    "MeanBand",
    "MeanIndex",
    "MeanValue",
    "NowCast",
    "Period",
    "RateOfRise",
    "RegisterUse",
    "SpaceMeanSpeed",
    "Stage",
    "StageBand",
    "TimeMean",
    "TimeToThreshold",
]

Formula = (
    MeanIndex
    | MeanValue
    | MeanBand
    | HighestIndex
    | NowCast
    | EnergyMean
    | DayEveningNight
    | ExceededLevel
    | ExceededCount
    | Counted
    | HeatIndex
    | ExtremeDay
    | RegisterUse
    | Stage
    | StageBand
    | RateOfRise
    | TimeToThreshold
    | SpaceMeanSpeed
    | TimeMean
    | FillLevel
    | FillRate
    | DaysToFull
    | HeldShare
    | HeldLevel
)
