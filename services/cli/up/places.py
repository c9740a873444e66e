"""Places of the sample leads: area codes by state, and each state's capital. Data; nothing is decided by it."""

from collections.abc import Mapping
from typing import Final

FIRST_AREAS: Final = ("808", "907", "212", "850", "213", "812", "605", "305", "915", "931", "208", "312", "541", "906", "602", "701")
"""Hawaii, Alaska, the big cities, and codes of states that lie in two time zones."""

_AREA_WORDS: Final[Mapping[str, str]] = {
    "AL": "205 251 256 334 659 938",
    "AK": "907",
    "AZ": "480 520 602 623 928",
    "AR": "479 501 870",
    "CA": "209 213 279 310 323 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 747 760 805 818 831 858 909 916 925"
    " 949 951",
    "CO": "303 719 720 970",
    "CT": "203 475 860 959",
    "DC": "202",
    "DE": "302",
    "FL": "239 305 321 352 386 407 561 727 754 772 786 813 850 863 904 941 954",
    "GA": "229 404 470 478 678 706 762 770 912",
    "HI": "808",
    "IA": "319 515 563 641 712",
    "ID": "208 986",
    "IL": "217 224 309 312 331 618 630 708 773 779 815 847 872",
    "IN": "219 260 317 463 574 765 812 930",
    "KS": "316 620 785 913",
    "KY": "270 364 502 606 859",
    "LA": "225 318 337 504 985",
    "MA": "339 351 413 508 617 774 781 857 978",
    "MD": "240 301 410 443 667",
    "ME": "207",
    "MI": "231 248 269 313 517 586 616 734 810 906 947 989",
    "MN": "218 320 507 612 651 763 952",
    "MO": "314 417 573 636 660 816",
    "MS": "228 601 662 769",
    "MT": "406",
    "NC": "252 336 704 743 828 910 919 980 984",
    "ND": "701",
    "NE": "308 402 531",
    "NH": "603",
    "NJ": "201 551 609 732 848 856 862 908 973",
    "NM": "505 575",
    "NV": "702 725 775",
    "NY": "212 315 332 347 516 518 585 607 631 646 680 716 718 838 845 914 917 929 934",
    "OH": "216 220 234 330 380 419 440 513 567 614 740 937",
    "OK": "405 539 580 918",
    "OR": "458 503 541 971",
    "PA": "215 223 267 272 412 484 570 610 717 724 814 878",
    "RI": "401",
    "SC": "803 843 854 864",
    "SD": "605",
    "TN": "423 615 629 731 865 901 931",
    "TX": "210 214 254 281 325 346 361 409 430 432 469 512 682 713 726 737 806 817 830 832 903 915 936 940 956 972 979",
    "UT": "385 435 801",
    "VA": "276 434 540 571 703 757 804",
    "VT": "802",
    "WA": "206 253 360 425 509 564",
    "WI": "262 414 534 608 715 920",
    "WV": "304 681",
    "WY": "307",
}
AREAS: Final[Mapping[str, tuple[str, ...]]] = {state: tuple(codes.split()) for state, codes in _AREA_WORDS.items()}
"""Area codes by state, long in use."""

_CAPITAL_WORDS: Final[Mapping[str, str]] = {
    "AL": "Montgomery 36104", "AK": "Juneau 99801", "AZ": "Phoenix 85007", "AR": "Little Rock 72201", "CA": "Sacramento 95814",
    "CO": "Denver 80203", "CT": "Hartford 06106", "DC": "Washington 20001", "DE": "Dover 19901", "FL": "Tallahassee 32301",
    "GA": "Atlanta 30303", "HI": "Honolulu 96813", "IA": "Des Moines 50309", "ID": "Boise 83702", "IL": "Springfield 62701",
    "IN": "Indianapolis 46204", "KS": "Topeka 66612", "KY": "Frankfort 40601", "LA": "Baton Rouge 70802", "MA": "Boston 02108",
    "MD": "Annapolis 21401", "ME": "Augusta 04330", "MI": "Lansing 48933", "MN": "Saint Paul 55101", "MO": "Jefferson City 65101",
    "MS": "Jackson 39201", "MT": "Helena 59601", "NC": "Raleigh 27601", "ND": "Bismarck 58501", "NE": "Lincoln 68508",
    "NH": "Concord 03301", "NJ": "Trenton 08608", "NM": "Santa Fe 87501", "NV": "Carson City 89701", "NY": "Albany 12207",
    "OH": "Columbus 43215", "OK": "Oklahoma City 73102", "OR": "Salem 97301", "PA": "Harrisburg 17101", "RI": "Providence 02903",
    "SC": "Columbia 29201", "SD": "Pierre 57501", "TN": "Nashville 37219", "TX": "Austin 78701", "UT": "Salt Lake City 84111",
    "VA": "Richmond 23219", "VT": "Montpelier 05602", "WA": "Olympia 98501", "WI": "Madison 53703", "WV": "Charleston 25301",
    "WY": "Cheyenne 82001",
}  # fmt: skip -- one column would be fifty lines


def _city_and_code(words: str) -> tuple[str, str]:
    city, _, postal_code = words.rpartition(" ")
    return city, postal_code


CAPITALS: Final[Mapping[str, tuple[str, str]]] = {state: _city_and_code(words) for state, words in _CAPITAL_WORDS.items()}
"""City and postal code by state."""

STATE_NAMES: Final[Mapping[str, str]] = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado", "CT": "Connecticut",
    "DC": "District of Columbia", "DE": "Delaware", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "IA": "Iowa", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "MA": "Massachusetts", "MD": "Maryland",
    "ME": "Maine", "MI": "Michigan", "MN": "Minnesota", "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina",
    "ND": "North Dakota", "NE": "Nebraska", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada",
    "NY": "New York", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VA": "Virginia", "VT": "Vermont", "WA": "Washington",
    "WI": "Wisconsin", "WV": "West Virginia", "WY": "Wyoming",
}  # fmt: skip -- one column would be fifty lines
