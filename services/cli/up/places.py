"""Places of the sample leads: each state's name, capital and area codes. Data; nothing is decided by it."""

from collections.abc import Mapping
from typing import Final

_FIRST_AREA_WORDS: Final = "808 907 212 850 213 812 605 305 915 931 208 312 541 906 602 701"
FIRST_AREAS: Final = tuple(_FIRST_AREA_WORDS.split())
"""Hawaii, Alaska, the big cities, and codes of states that lie in two time zones."""

_TABLE: Final = """
AL | Alabama | Montgomery 36104 | 205 251 256 334 659 938
AK | Alaska | Juneau 99801 | 907
AZ | Arizona | Phoenix 85007 | 480 520 602 623 928
AR | Arkansas | Little Rock 72201 | 479 501 870
CA | California | Sacramento 95814 | 209 213 279 310 323 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669
    707 714 747 760 805 818 831 858 909 916 925 949 951
CO | Colorado | Denver 80203 | 303 719 720 970
CT | Connecticut | Hartford 06106 | 203 475 860 959
DC | District of Columbia | Washington 20001 | 202
DE | Delaware | Dover 19901 | 302
FL | Florida | Tallahassee 32301 | 239 305 321 352 386 407 561 727 754 772 786 813 850 863 904 941 954
GA | Georgia | Atlanta 30303 | 229 404 470 478 678 706 762 770 912
HI | Hawaii | Honolulu 96813 | 808
IA | Iowa | Des Moines 50309 | 319 515 563 641 712
ID | Idaho | Boise 83702 | 208 986
IL | Illinois | Springfield 62701 | 217 224 309 312 331 618 630 708 773 779 815 847 872
IN | Indiana | Indianapolis 46204 | 219 260 317 463 574 765 812 930
KS | Kansas | Topeka 66612 | 316 620 785 913
KY | Kentucky | Frankfort 40601 | 270 364 502 606 859
LA | Louisiana | Baton Rouge 70802 | 225 318 337 504 985
MA | Massachusetts | Boston 02108 | 339 351 413 508 617 774 781 857 978
MD | Maryland | Annapolis 21401 | 240 301 410 443 667
ME | Maine | Augusta 04330 | 207
MI | Michigan | Lansing 48933 | 231 248 269 313 517 586 616 734 810 906 947 989
MN | Minnesota | Saint Paul 55101 | 218 320 507 612 651 763 952
MO | Missouri | Jefferson City 65101 | 314 417 573 636 660 816
MS | Mississippi | Jackson 39201 | 228 601 662 769
MT | Montana | Helena 59601 | 406
NC | North Carolina | Raleigh 27601 | 252 336 704 743 828 910 919 980 984
ND | North Dakota | Bismarck 58501 | 701
NE | Nebraska | Lincoln 68508 | 308 402 531
NH | New Hampshire | Concord 03301 | 603
NJ | New Jersey | Trenton 08608 | 201 551 609 732 848 856 862 908 973
NM | New Mexico | Santa Fe 87501 | 505 575
NV | Nevada | Carson City 89701 | 702 725 775
NY | New York | Albany 12207 | 212 315 332 347 516 518 585 607 631 646 680 716 718 838 845 914 917 929 934
OH | Ohio | Columbus 43215 | 216 220 234 330 380 419 440 513 567 614 740 937
OK | Oklahoma | Oklahoma City 73102 | 405 539 580 918
OR | Oregon | Salem 97301 | 458 503 541 971
PA | Pennsylvania | Harrisburg 17101 | 215 223 267 272 412 484 570 610 717 724 814 878
RI | Rhode Island | Providence 02903 | 401
SC | South Carolina | Columbia 29201 | 803 843 854 864
SD | South Dakota | Pierre 57501 | 605
TN | Tennessee | Nashville 37219 | 423 615 629 731 865 901 931
TX | Texas | Austin 78701 | 210 214 254 281 325 346 361 409 430 432 469 512 682 713 726 737 806 817 830 832 903 915
    936 940 956 972 979
UT | Utah | Salt Lake City 84111 | 385 435 801
VA | Virginia | Richmond 23219 | 276 434 540 571 703 757 804
VT | Vermont | Montpelier 05602 | 802
WA | Washington | Olympia 98501 | 206 253 360 425 509 564
WI | Wisconsin | Madison 53703 | 262 414 534 608 715 920
WV | West Virginia | Charleston 25301 | 304 681
WY | Wyoming | Cheyenne 82001 | 307
"""
"""State, its name, its capital with postal code, area codes long in use; a line that is indented goes on."""


def _rows() -> list[list[str]]:
    lines = _TABLE.strip().replace("\n    ", " ").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines]


AREAS: Final[Mapping[str, tuple[str, ...]]] = {state: tuple(codes.split()) for state, _, _, codes in _rows()}
"""Area codes by state."""

STATE_NAMES: Final[Mapping[str, str]] = {state: name for state, name, _, _ in _rows()}

CAPITALS: Final[Mapping[str, tuple[str, str]]] = {
    state: (capital[:-6], capital[-5:]) for state, _, capital, _ in _rows()
}
"""City and postal code by state."""
