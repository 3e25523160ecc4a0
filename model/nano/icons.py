"""Icons by common name: the words people use for each, and its file names in public icon sets."""

from dataclasses import dataclass
from functools import cache

# name | words people use | file stems in any set, or set:stem where a stem means something else elsewhere
_TABLE = """
close | close, X, cross, dismiss | x, close, x-lg, x-mark, xmark, clear, fluent:dismiss
menu | menu, hamburger menu, hamburger, three lines | menu, menu-2, bootstrap:list, phosphor:list, bars-3, \
    three-bars, fluent:navigation
search | search, magnifying glass, magnifier, find, loupe | search, magnifying-glass, magnify
settings | settings, gear, preferences, cog, options, cogwheel | settings, gear, cog, cog-6-tooth, gear-six, \
    settings-2
back | back, left arrow, arrow left, go back, previous page | arrow-left, arrow-back, arrow-ios-back
forward | forward, right arrow, arrow right, go forward | arrow-right, arrow-forward
up | up arrow, arrow up, go up | arrow-up, arrow-upward
down | down arrow, arrow down | arrow-down, arrow-downward
play | play, start playback, play triangle | play, play-arrow, player-play
pause | pause, two bars | pause, player-pause
stop | stop, stop square | stop, player-stop
next | next track, skip forward, skip next, next | skip-forward, skip-next, player-skip-forward, play-skip-forward, \
    skip-end, fluent:next, skip-forward-filled
previous | previous track, skip back, skip previous, previous | skip-back, skip-previous, player-skip-back, \
    play-skip-back, skip-start, fluent:previous, skip-back-filled
fast forward | fast forward | fast-forward, bootstrap:fast-forward, player-track-next, play-forward, heroicons:forward
rewind | rewind | rewind, fast-rewind, player-track-prev, play-back, heroicons:backward
record | record, recording | record-circle, radio-button-on, player-record, fluent:record, record
trash | delete, trash, bin, remove, trash can, rubbish bin, garbage can | trash, trash-2, trash-can, delete-bin, \
    material:delete, fluent:delete, delete-bin-6, delete-outline
download | download, save to disk, download arrow | download, arrow-down-tray, download-2, file-download, \
    download-simple, get-app, desktop-download
upload | upload, upload arrow | upload, arrow-up-tray, upload-2, upload-simple, file-upload, fluent:arrow-upload
home | home, house, start page | home, house, home-2
user | user, profile, account, person, avatar | user, person, user-circle, account-circle, person-circle, \
    user-round, user-avatar
users | users, people, group, contacts, team | users, people, group, user-multiple, user-group, team
add user | add user, add person, invite, add contact | user-plus, person-add, user-add, user-follow
mail | mail, email, envelope, message | mail, envelope, email
bell | notifications, bell, alerts, alarm bell | bell, notifications, notification
calendar | calendar, date, schedule | calendar, calendar-today, calendar-days, calendar-blank
clock | clock, time, recent | clock, time, access-time, schedule
star | star, favourite, favorite, rate | star, material:star-border
heart | heart, like, love | heart, material:favorite, material:favorite-border
share | share | share, share-2, share-network, share-social, share-fat
copy | copy, duplicate, two sheets | copy, content-copy, files, clipboard-copy, file-copy
paste | paste, clipboard | clipboard, content-paste, clipboard-paste, paste
cut | cut, scissors | scissors, cut, content-cut
save | save, floppy disk, diskette, disk | save, floppy, device-floppy, floppy-disk, save-2
print | print, printer | printer, print
edit | edit, pencil, pen, modify, write | pencil, edit, pen, edit-2, pencil-simple, create, mode-edit
compose | compose, new note, write a message, new message | square-pen, pencil-square, edit-box, note-pencil, \
    create-outline, compose
add | add, plus, new, plus sign | plus, add, plus-lg
minus | minus, subtract, minus sign, decrease | minus, remove, subtract, dash-lg, dash
check | check, tick, check mark, done, confirm | check, check-lg, checkmark, done
refresh | refresh, reload, circular arrow, update | refresh, refresh-cw, arrow-clockwise, rotate-cw, arrow-path, \
    renew, sync
undo | undo | undo, bootstrap:arrow-counterclockwise, undo-2, arrow-uturn-left, arrow-back-up, arrow-u-up-left, \
    arrow-go-back, arrow-undo
redo | redo | redo, redo-2, arrow-uturn-right, arrow-forward-up, arrow-u-up-right, arrow-go-forward, arrow-redo
lock | lock, padlock, locked, secure | lock, lock-closed, locked
unlock | unlock, open padlock, unlocked | unlock, lock-open, unlocked, lock-unlock
eye | show, eye, view, visibility, preview | eye, visibility, view
eye off | hide, crossed-out eye, eye off, invisible | eye-off, eye-slash, visibility-off, view-off, eye-closed
camera | camera, take a photo | camera, photo-camera, camera-alt
image | image, picture, photo, gallery | image, photo, picture, images
video | video, video camera, film | video, videocam, camera-video, video-camera, vidicon
music | music, note, song, musical note | music, music-note, music-note-beamed, musical-notes, musical-note, music-2
volume | volume, speaker, sound | volume-2, volume-up, volume, speaker-wave, speaker-high, speaker-2, volume-high
mute | mute, muted speaker, sound off, silence | volume-x, volume-off, volume-mute, speaker-x-mark, speaker-slash, \
    tabler:volume-3, mute, speaker-mute
microphone | microphone, mic, voice input | mic, microphone
mute mic | mute microphone, microphone off | mic-off, microphone-off, mic-mute, microphone-slash
headphones | headphones, headset, listen | headphones, headset, headphone
phone | phone, call, telephone | phone, call, telephone
phone off | hang up, end call | phone-off, phone-hangup, call-end, telephone-x, phone-disconnect
chat | chat, messages, speech bubble, comment | message-circle, message-square, chat, chat-left, chat-bubble-left, \
    message, comment, chat-circle, chatbubble, chat-1, chat-bubble
send | send, paper plane, submit message | send, paper-airplane, paper-plane, paper-plane-tilt, send-plane
attach | attach, paperclip, attachment | paperclip, attach, attach-file, paper-clip, attachment
link | link, chain, hyperlink, copy link | link, links, insert-link
external link | external link, open in a new window, open in new tab | external-link, open-in-new, \
    box-arrow-up-right, arrow-top-right-on-square, arrow-square-out, launch, fluent:open
folder | folder, directory | folder
folder open | open folder, open | folder-open, folder2-open
new folder | new folder, create folder, add folder | folder-plus, create-new-folder, folder-add
file | file, document, page | file, document, file-earmark, insert-drive-file, file-blank
new file | new file, new document, add file | file-plus, file-add, note-add, document-plus, file-earmark-plus, \
    document-add
filter | filter, funnel | filter, funnel, filter-alt, filter-2
sort | sort | sort, arrow-up-down, arrows-sort, sort-down, sort-ascending, arrows-up-down, swap-vert
list | list, list view, bullet list | list-bullets, list-ul, list-bullet, format-list-bulleted, list-unordered, \
    list-bulleted, feather:list, lucide:list, tabler:list, ionicons:list, material:list, fluent:list
grid | grid, grid view, tiles, thumbnails | grid, layout-grid, grid-view, squares-2x2, grid-3x3, squares-four, \
    apps, grid-fill
zoom in | zoom in, magnify plus | zoom-in, magnifying-glass-plus
zoom out | zoom out, magnify minus | zoom-out, magnifying-glass-minus
fullscreen | full screen, fullscreen, enter full screen | fullscreen, maximize-2, arrows-fullscreen, \
    arrows-pointing-out, arrows-out, lucide:maximize, feather:maximize, tabler:maximize, screen-full, \
    full-screen-maximize
exit fullscreen | exit full screen, leave full screen, shrink | fullscreen-exit, minimize-2, arrows-pointing-in, \
    arrows-in, lucide:minimize, feather:minimize, tabler:minimize, screen-normal, full-screen-minimize
maximize | maximize, maximise | fluent:maximize
minimize | minimize, minimise | fluent:subtract
help | help, question mark, support | help-circle, help, question-circle, circle-help, question-mark-circle, \
    circle-question-mark, question, help-outline
info | info, information | info, info-circle, information-circle, information
warning | warning, caution, alert triangle, exclamation mark | alert-triangle, warning, exclamation-triangle, \
    triangle-alert, octicons:alert, remixicon:alert, warning-alt
error | error, alert, exclamation circle | alert-circle, exclamation-circle, circle-alert, material:error, \
    material:error-outline, warning-circle, error-warning, fluent:error-circle
more | more, three dots, ellipsis, more options | more-horizontal, ellipsis, three-dots, dots, more-horiz, \
    dots-three, ellipsis-horizontal, kebab-horizontal, overflow-menu--horizontal, more, remixicon:more
more vertical | more, three vertical dots, kebab menu, vertical dots | more-vertical, ellipsis-vertical, \
    three-dots-vertical, dots-vertical, more-vert, dots-three-vertical, overflow-menu--vertical, more-2
chevron down | expand, chevron down, drop down arrow, down chevron | chevron-down, expand-more, caret-down, \
    arrow-down-s, keyboard-arrow-down
chevron up | collapse, chevron up, up chevron | chevron-up, expand-less, caret-up, arrow-up-s, keyboard-arrow-up
chevron left | chevron left, left chevron, previous page arrow | chevron-left, caret-left, arrow-left-s, \
    keyboard-arrow-left
chevron right | chevron right, right chevron, next page arrow | chevron-right, caret-right, arrow-right-s, \
    keyboard-arrow-right
bookmark | bookmark, save for later | bookmark, bookmark-border
tag | tag, label, price tag | tag, label, price-tag-3, pricetag
location | location, map pin, pin on the map, place, marker | map-pin, location-on, geo-alt, map-pin-line, place, \
    fluent:location, carbon:location, ionicons:location, octicons:location
map | map | map, map-2, map-trifold
compass | compass, explore | compass, explore
cart | cart, shopping cart, basket, trolley | shopping-cart, cart, cart-3
bag | shopping bag, bag | shopping-bag, bag, handbag, tote-simple
credit card | credit card, payment, card | credit-card, card, bank-card, payment
wallet | wallet | wallet, account-balance-wallet
gift | gift, present | gift, card-giftcard
chart | chart, bar chart, statistics, analytics, graph | bar-chart, chart-bar, bar-chart-2, bar-chart-line, \
    stats-chart, chart-column, chart--bar, graph
pie chart | pie chart | pie-chart, chart-pie, pie-chart-2, chart--pie
trend | trending up, growth, line going up | trending-up, graph-up-arrow, arrow-trending-up, trend-up
cloud | cloud | cloud
cloud upload | upload to the cloud, cloud upload | cloud-upload, upload-cloud, cloud-arrow-up, cloud-up, backup, \
    cloud--upload
cloud download | download from the cloud, cloud download | cloud-download, download-cloud, cloud-arrow-down, \
    cloud-down, cloud--download
wifi | wifi, Wi-Fi, wireless | wifi, wifi-high, fluent:wifi-1
bluetooth | bluetooth | bluetooth
battery | battery | battery, battery-full, battery-100, battery-4
power | power, shut down, on off | power, power-settings-new, shut-down, power-off
logout | log out, sign out, logout, exit | log-out, logout, box-arrow-right, sign-out, arrow-right-on-rectangle, \
    logout-box-r, arrow-right-start-on-rectangle
login | log in, sign in, login | log-in, login, box-arrow-in-right, sign-in, arrow-left-on-rectangle, login-box, \
    arrow-right-end-on-rectangle
sun | sun, light mode, brightness | sun, light-mode, sunny, weather-sunny
moon | moon, dark mode, night mode | moon, dark-mode, weather-moon
globe | globe, language, world, web | globe, material:language, world, globe-alt, public, earth
code | code, source code, angle brackets | code, code-slash, code-bracket, code-xml
terminal | terminal, console, command line | terminal, terminal-2, terminal-window, command-line, window-console
bug | bug, debug | bug, bug-report, bug-ant
database | database, data | database, circle-stack, server-database, carbon:data-base
server | server | server, hdd-stack, server-stack, dns
key | key, password | key, vpn-key, key-2
shield | shield, security, protection | shield, security
thumbs up | thumbs up, like, upvote | thumbs-up, thumb-up, hand-thumbs-up, hand-thumb-up, thumbsup
thumbs down | thumbs down, dislike, downvote | thumbs-down, thumb-down, hand-thumbs-down, hand-thumb-down, thumbsdown
flag | flag, report | flag, flag-2
pin | pin, push pin, thumbtack | pin, pin-angle, push-pin, pushpin, thumbtack
archive | archive, archive box | archive, archive-box
inbox | inbox, tray | inbox, move-to-inbox
layers | layers, stack | layers, stack, rectangle-stack
sliders | sliders, adjust, equalizer, controls | sliders, tune, adjustments, adjustments-horizontal, \
    sliders-horizontal, options, settings--adjust, sliders-2
wrench | tool, wrench, spanner, repair | wrench, tool, build, tools
bold | bold | bold, type-bold, format-bold, text-b, text-bold
italic | italic | italic, type-italic, format-italic, text-italic
underline | underline | underline, type-underline, format-underlined, text-underline
align left | align left | align-left, text-left, format-align-left, text-align-left, bars-3-bottom-left, \
    text-align--left
align center | align centre, align center | align-center, text-center, format-align-center, text-align-center, \
    text-align--center
align right | align right | align-right, text-right, format-align-right, text-align-right, bars-3-bottom-right, \
    text-align--right
lightbulb | light bulb, idea, lamp | lightbulb, bulb, light-bulb
rocket | rocket, launch | rocket, rocket-launch, rocket-takeoff
book | book, read | book, book-open, menu-book, book-2
briefcase | briefcase, work, suitcase | briefcase, work
building | building, company, office | building, buildings, building-office, business
car | car, vehicle | car, directions-car, car-front, vehicle-car
plane | plane, airplane, flight | plane, airplane, flight
coffee | coffee, cup | coffee, cup-hot, local-cafe, cafe, cup
smile | smile, emoji, smiley face | smile, emoji-smile, smiley, mood-smile, face-smile, emotion, emoji, \
    sentiment-satisfied, face-satisfied, happy
palette | palette, colours, theme | palette, color-palette, color-lens
brush | brush, paint brush | brush, paintbrush, paint-brush
crop | crop | crop
QR code | QR code, scan a QR code | qr-code, qrcode, qr-code-scanner
fingerprint | fingerprint | fingerprint, finger-print, fingerprint-recognition
monitor | monitor, screen, display, desktop | monitor, display, desktop, device-desktop, desktop-windows, \
    computer-desktop, screen, desktop-mac
laptop | laptop, notebook | laptop, device-laptop, laptop-mac, laptop-minimal, macbook
smartphone | smartphone, mobile phone, mobile | smartphone, device-mobile, device-phone-mobile, phone-portrait, \
    mobile, phone-android
keyboard | keyboard | keyboard
mouse | mouse | mouse, device-mouse
gamepad | game controller, gamepad, games | gamepad, gamepad-2, controller, game-controller, device-gamepad, \
    sports-esports, game-console
cpu | processor, chip, CPU | cpu, material:memory, cpu-chip, microchip, chip
hard drive | hard drive, hard disk, storage | hard-drive, device-hdd, hdd, hard-drive-2, storage, hard-drives
usb | USB, USB stick | usb, usb-stick, usb-drive
rss | RSS, feed | rss, rss-feed, rss-simple
bar code | barcode | barcode, upc-scan, bar-code
sidebar | side bar, sidebar, toggle the side bar | sidebar, layout-sidebar, panel-left, side-bar, sidebar-simple, \
    side-panel--open, sidebar-collapse
columns | columns, split view | columns, layout-columns, view-column, view-columns, column, columns-2
table | table | table, table-2, table-chart
translate | translate, languages | languages, translate, language-hiragana
shuffle | shuffle, random | shuffle
repeat | repeat, loop | repeat, arrow-repeat
"""

_MISNAMED = {
    "bootstrap": "phone save subtract volume-off align-center",
    "carbon": "warning label align-left align-center align-right",
    "feather": "delete",
    "fluent": "phone arrow-forward access-time group check place align-left align-center align-right",
    "ionicons": "volume-off",
    "lucide": "delete view group",
    "material": "filter filter-2 arrow-left arrow-right camera volume-mute grid-3x3 more tag pin power power-off",
    "octicons": "stop",
    "phosphor": "notification subtract graph align-left align-center align-right",
    "remixicon": "user-follow bell",
    "tabler": "arrow-back arrow-forward notification file-download grid-3x3",
}
"""By set: stems whose drawing is of something else than what the stem means elsewhere."""


@dataclass(frozen=True, slots=True)
class Concept:
    """An icon's common name, the words people ask for it by, and its file stems."""

    name: str
    words: tuple[str, ...]
    stems: tuple[str, ...]


@cache
def concepts() -> dict[str, Concept]:
    """List all icon concepts by name."""
    table: dict[str, Concept] = {}
    for line in _TABLE.strip().splitlines():
        name, words, stems = (part.strip() for part in line.split("|"))
        table[name] = Concept(
            name,
            tuple(word.strip() for word in words.split(",")),
            tuple(stem.strip() for stem in stems.split(",")),
        )
    return table


@cache
def shared_words() -> frozenset[str]:
    """List the words (casefolded) that more than one concept goes by."""
    seen: set[str] = set()
    shared: set[str] = set()
    for concept in concepts().values():
        own = {word.casefold() for word in concept.words}
        shared |= seen & own
        seen |= own
    return frozenset(shared)


def set_stems(concept: Concept, icon_set: str) -> tuple[str, ...]:
    """List the file stems (with hyphens) that draw ``concept`` in ``icon_set``."""
    stems: list[str] = []
    misnamed = _MISNAMED.get(icon_set, "").split()
    for stem in concept.stems:
        owner, _, own = stem.rpartition(":")
        if owner in ("", icon_set) and own.replace("--", "-") not in misnamed:
            stems.append(own.replace("--", "-"))
    return tuple(stems)
