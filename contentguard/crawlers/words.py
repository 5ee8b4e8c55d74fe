"""The letter runs of a User-Agent header: the one cheap pass that everything else stands on.

Digits and punctuation part words, so ``Mozilla/5.0libwww-perl/5.8`` and ``curl/8.5`` fall into names
alone and a version number costs nothing. Most browsers are made of the words below and nothing else; for
them the answer is known after one set operation, however long the catalogue is.
"""

from __future__ import annotations

LIMIT = 512
"""No more of a User-Agent is read: bounds time and the cache's memory."""

LOWER = bytes(byte | 32 if 65 <= byte <= 90 else byte for byte in range(256))
LETTERS = bytes(byte if 97 <= byte <= 122 else 32 for byte in LOWER)

PLAIN = frozenset(
    b"""
    mozilla applewebkit khtml like gecko chrome crios chromium safari version mobile firefox fxios focus
    edg edge edga edgios opr opt opx opera presto mini mobi samsungbrowser samsung ucbrowser ucweb
    yabrowser vivaldi brave silk gsa msie trident touch iemobile media center pc net clr slcc infopath
    tablet windows win wow nt phone macintosh mac intel ppc os cpu iphone ipad ipod ios linux android cros
    ubuntu fedora debian arm armv aarch build rv wv en us gb de fr es pt br ru zh cn tw ja jp
    ko kr it pl nl tr nexus pixel sm moto redmi xiaomi huawei lg htc nokia sony oneplus oppo vivo realme
    cph note pro plus lite max ultra mi tv smart smarttv tizen web linuxarm webos netcast hbbtv electron
    dalvik cfnetwork darwin midp cldc profile configuration series instagram fban fbav fbios fbbv fbdv
    fbmd fbsn fbsv fbss fbid fblc fbop fbrv fbcr fb iab snapchat pinterest micromessenger nettype wifi
    language mqqbrowser miuibrowser browser webview lumia microsoft dpi cubot camscanner mra lrx opd opm
    nrd ppr qkq rkq up tp ap sp rp tkq skq sa lmy jdq kot imm gt jro qp al mmb jzo jop xt ce gn hd mb lx mt lge
    ktu lte iml eea an nmf sh tm nx me tb tl mp lm ts dl bv lf ax le kvt chr jls lt tz fvc sc neo vs grk pmt in ca
    at be iq ls ta ss pkq pr mx ms ii mg so bl jss se td iph as ct pg ar im mtk sw wp psp bt tf ml ch tecno infinix
    itel rmx zte asus lenovo hisense motorola alcatel micromax meizu honor lava poco tcl blu umidigi doogee oukitel
    ulefone blackview hmd acer panasonic philips apple yasearchbrowser yaapp yasearchapp bropp
    webomni huaweibrowser vivobrowser heytapbrowser hmscore harmonyos kaios omi model drm dtv smarttva vestel vidaa
    wireless wired netrangemmh nettv led uhd fhd tab pad box blade power prime elite energy desire play life one
    dual quad release wkwebview desktop xperia smartphone metaiab cos mz joy amazon tesla xbox nintendo playstation
    """.split()
) | {bytes([letter]) for letter in range(97, 123)}
"""Words of ordinary browsers and phones. No token of the catalogue may hang on one of them."""

HANDHELDS = frozenset(
    b"""
    android ios iphone ipad ipod ipados tvos watchos tizen webos kaios symbian symbianos series midp cldc profile brew
    wap up dalvik meego maemo sailfish harmony openharmony bada epoc hiptop palm palmos webtv appletv kindle nook
    playstation psp nintendo xbox dreamcast roku dvp portalmmm foma osmb msm qcom maui crkey tpapi stb iptv tv dtv
    smarttv hbbtv hybridcast netcast nettv viera vizio vizios kreatv loewe vestel antgalio antfresco brightsign
    pda ppc pocket iemobile handheld cellphone mobilephone smartphone phone tablet fban fbav instagram pinterest
    nokia samsung sec sie siemens blackberry playbook bb lg lge htc sony sonyericsson ericsson mot motorola panasonic
    philips sagem alcatel sharp sanyo kyocera zte huawei xiaomi docomo nttdocomo kddi softbank vodafone willcom lenovo
    rim windowsphone lumia archos casio psion tianyu amoi bird haier hisense micromax lava spice karbonn asus acer tcl
    oppo vivo
    """.split()
)
"""What is held in a hand or stands before a sofa: systems, makes and kinds of device."""

BROWSERS = frozenset(
    b"""
    lynx links elinks dillo netsurf edbrowse emacs retawq netscape mosaic browsex hotjava icab omniweb amaya
    amigavoyager netpositive planetweb konqueror galeon midori xiino arachne seamonkey
    """.split()
)
"""Browsers that few use and that nobody poses as: what they say of themselves they say as they like."""

_SYSTEMS = b"""
    applewebkit webkit khtml gecko presto trident msie chrome safari firefox opera thunderbird
    servo goanna macintosh mac macos osx darwin cfnetwork windows win winnt linux unix bsd freebsd openbsd netbsd sunos
    solaris minix syllable haiku inferno beos amiga amigaos morphos risc os cros java arm netfront polaris obigo
    espial qtopia ucweb office msoffice outlook maple ucbrowser mqqbrowser ovibrowser teleca
    irix osf serenityos zenwalk slackware gentoo mandriva mandrake jig onebrowser inettvbrowser netgem browser qtwebkit
    """
DEVICES = HANDHELDS | BROWSERS | frozenset(_SYSTEMS.split())
"""Engines, systems, makes, and browsers that name none of them: a header without any is no browser's."""


def words(user_agent: bytes) -> list[bytes]:
    """The letter runs of ``user_agent``, in lower case."""
    return user_agent.translate(LETTERS).split()
