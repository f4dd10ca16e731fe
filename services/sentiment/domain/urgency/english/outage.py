"""Outages, in English."""

from services.sentiment.domain.urgency.english.words import BROKEN, CANNOT, INFRA, IS, NET, NOBODY, SITE, THING, VERY

URGENT = f"""
{THING} ?{IS} ?{VERY} ?{VERY} {BROKEN}
{THING} {IS} ?{VERY} out since/for/again/./,/all
is/are/was/has/have/been ?{VERY} down ?again ?for everyone/everybody/hours/days/weeks/all
is/are the/your/my ~ {THING} down
{THING} ~ isn't/not/aren't/wasn't/never/hasn't_been reachable/accessible/available/responding/loading/online
outage/outages
power cut/cuts/failure
{NOBODY} ... log_in/login/access/connect/sign_in/logon/work/use_it/get_in/log_on
all/every ~ our/users/customers/staff/colleagues/clients ... error*/fail*/stuck/blocked/offline/locked_out/unable
can't/cannot/can_not/unable_to/couldn't/not_able_to/impossible_to work ./,/because/since/today/at_all/until/like_this/and/\
due/anymore/all
can't/cannot/can_not/unable_to/couldn't/not_able_to/impossible_to sell/trade/operate/serve/do_our_job/do_my_job/do_our_jobs/\
do_any_work
haven't/hasn't/not/wasn't/weren't ~ able to work/sell/trade/operate/do
standstill
production/business/operations/warehouse ~ stopped/halted/stuck/down/blocked
losing/lose/lost/costing sales/orders/revenue/business/turnover/money_every
nothing works/work/loads/load/responds/functions/working/loading/is_working/is_loading
no ?mobile/phone/working/hot internet/signal/electricity/power/heating/water/dial_tone/broadband/network/phone_line/connectivity
no connection/service at/since/for/again/anywhere
been without ~ internet/power/electricity/water/heating/service/phone/broadband/connection/signal
error/errors/http/status/a 500/502/503/504
return*/getting/gets/giving/gives/throw* ~ 500/502/503/504
error* for/on every/everyone/all
{IS} ?{VERY} out/dead/down/off/gone/offline/cut_off ?again since/for ~ hour/hours/day/days/week/weeks/yesterday/monday/\
tuesday/wednesday/thursday/friday/saturday/sunday/morning/night/ages
total/complete/major/full/nationwide/massive outage/blackout/failure/shutdown
completely/totally/entirely down/offline
our/all ~ {THING}/registers/terminals/phones/machines ~ stopped/stop working/responding
service/site/website/system/platform/internet/server/servers/network/api/portal ~ stopped/stop/not/isn't/doesn't/don't/\
won't/aren't work*/working/responding/respond/loading/load
entire/whole/all ~ team/office/company/staff/department/business/building ~ blocked/stuck/idle/offline/down/can't/\
cannot/affected
all/every ~ checkout*/payment*/order*/request*/calls/transactions ~ fail/failing/fails/failed/blocked
everything/all_systems/every_system ?is/are/has/went ?been ?still/completely/totally/just/now {BROKEN}/frozen/crashed/\
black/stuck
we_are/weve_been/we_have_been ?still/completely/all {BROKEN} ./,/again/since/for/?
its/it_is/is_it/is_this ?still/all/completely down again/for/./?/since/,/everywhere
down again ./?
is there ~ outage
{INFRA} ?is/are/has/have/just/keeps/keep/completely ~ crash*/collaps*/froze/frozen/timing_out/times_out/timed_out/\
timing/hangs/died/dying
crash* ... everyone/everybody/all_users/all_our/whole/entire/nobody
keep/keeps/constantly/all/just/simply crash*/timing ... nobody/everyone/everybody/all/customers/orders
{CANNOT} ~ access/reach/log_in/login/log_on/sign_in/connect/get_into/get_in/open ... at_all/since/anymore/any_more/for_hours/\
for_days/all_day/all_morning/right_now
we {CANNOT} ~ access/reach/log_in/login/log_on/sign_in/connect/get_into/get_in/open/use
none_of/not_a_single/not_one ... log/login/sign/access/connect/work/works/use/enter/open/loads
{NOBODY} ~ can/could/able/is ... connect/pay/order/check_out/checkout/reach/enter/sign/log/open/book
whole/entire/all/half/most/our ~ office/company/team/department/building/street/area/town/region/machines/branch/\
branches/stores/\
shops/staff ~ offline/down/dark/without
{THING}/everything/screens/phones/lines/line ~ went/goes/gone ~ dark/offline/black/dead/down/silent
{THING}/line/lines/landline/phones ?is/are/has/have/been ?been/still/completely dead
{NET} ~ not/isnt/doesnt/wont/stopped/arent/never ~ working/work/connect*
{NET} ?is/has/was/been/have ?been ?still/completely off/out/gone/cut/down all/since/for/./,/again/the/whole/?
still/been/are/im/am/days/weeks/hours/week/day without ~ {NET}/water/gas/heating/service
havent/hasnt/havent_had/not/didnt/dont ~ had/have/got ~ {NET}/water
hours/days/weeks/week/day/month ~ no ~ {NET}/service/water/heating
no {NET} ./,/for/since/in/at/again/all/anywhere/here/whatsoever
lights/light/electricity/power/gas ~ out/off/gone/cut since/for/in/all/again/after
been/im/am/are/still offline for/since/all/again
{SITE} ~ wont/not/doesnt/cant/isnt/never/refuses load/open/respond/loading/opening/responding/start/come_up
bad/gateway gateway/timeout/time_out
502/503/504 error/bad/gateway/on/for/since/everywhere
timeout/timeouts on/for/every/all/everywhere
everything/requests/request/all/pages/calls ~ time/times/timing/timed/fails/failing ?out
system/screens/tills/registers/terminals/checkout ~ frozen/freezes/froze/stuck/down/dead/broken
{CANNOT} ~ take/accept/process/ship/serve/fulfil/fulfill/invoice/dispatch/handle ~ orders/payments/payment/card/cards/\
customers/\
calls/patients/parcels/shipments/guests/order/bookings
customers/clients/users/guests/patients/employees/colleagues/people/everyone/staff/team/us ~ {CANNOT} ~ order/pay/buy/\
book/check_out/\
checkout/reach/log/log_in/sign/access/use/connect/work/get/call
at/to ~ halt
dead_in_the water
losing/lose/costs/cost/costing ~ thousands/money/hundreds/customers/sales/orders/revenue/us ~ every/per/an/each/\
by minute/hour/day/the
every/each minute/hour/day ~ cost/costs/costing/lose/losing
{THING} ~ broken/down/dead/offline/not_working for ~ everyone/everybody/us/all/anyone
{CANNOT} ~ do ~ anything/any_work/business/our_job/my_job/our_work/my_work
staff/team/colleagues/employees/workers/office ~ sitting/sits/sit/twiddling/idle/idling/sent_home
been/are/is/was/were/am/im ~ cut_off/offline/disconnected since/for/again
connection/signal/internet ~ dropped/died/lost/gone/cut ... since/hasnt/not/for/back
"""

UNLESS = """
can't/cannot/couldn't/nothing/nobody ~ work*/works ~ better
down to/the
status page
planned/scheduled
no service charge/charges/fee/fees
old/previous/former provider/supplier/company
no_longer/not_anymore
back up/online
password/username/nickname/forgot
price/prices/volume
internet/connection/wifi needed/required/necessary
once/sometimes/occasionally ... but/works/fine
works/work/fine now/again
"""
