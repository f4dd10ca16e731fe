"""English."""

from shared.events import Urgency

NEGATIONS = (
    "no not never don't won't didn't doesn't isn't aren't wasn't wouldn't haven't hasn't can't cannot without nobody "
    "neither nor nothing hardly"
)
LAWYER = "lawyer*/attorney*/solicitor*/barrister*/legal_team/legal_department/legal_counsel"
OFFICE = (
    "ombudsman/trading_standards/bbb/attorney_general/consumer_protection/consumer_rights/consumer_agency/data_protection/police/"
    "ftc/cfpb/ofcom/ofgem/regulator/regulators/regulatory/better_business_bureau/citizens_advice/small_claims/ico/authorities"
)
BODY = (
    "hand/hands/finger/fingers/thumb/arm/arms/leg/legs/foot/feet/face/skin/mouth/tongue/lip/lips/eye/eyes/head/scalp/"
    "neck/back/knee/"
    "throat/toe/toes/myself/himself/herself"
)
DEVICE = "cable/cables/plug/charger/battery/socket/cord/wire/wires/wiring/adapter/outlet/heater/motor/device"
CONTRACT = (
    "contract/contracts/subscription/subscriptions/membership/account/accounts/plan/service/services/licence/license/"
    "policy/agreement/"
    "insurance/tariff/broadband/line"
)
RIVAL = (
    "provider*/supplier*/company/bank/carrier/vendor/platform/service/competitor*/competition/network/insurer/operator/app/tool"
)
THING = (
    "service/services/site/website/system/systems/platform/server/servers/internet/network/portal/dashboard/api/"
    "connection/app/line/"
    "gateway/broadband/wifi/webshop/shop/database/page/login/backend/tills/phones"
)
IS = "is/are/was/were/be/been/has_been/have_been/had_been/being/went/goes/keeps_going/still/again/its/isnt"
VERY = "completely/totally/currently/still/now/down/all/just/also/again/entirely/fully/constantly/always"
BROKEN = "down/offline/unavailable/unreachable/inaccessible/dead/out_of_service/out_of_order"
CHARGED = "charged/billed/debited/invoiced"
TWICE = "twice/double/two_times/three_times/2_times/3_times/multiple_times/2x/several_times/four_times/thrice/again"
CHARGE = (
    "charge/charges/transaction/transactions/payment/payments/debit/debits/withdrawal/withdrawals/purchase/purchases/deduction"
)
NTH = "second/third/fourth/fifth/sixth/seventh/tenth/2nd/3rd/4th/5th/6th/7th/8th/9th/10th/umpteenth/nth/hundredth/millionth"
COUNT = (
    "two/three/four/five/six/seven/eight/nine/ten/twenty/2/3/4/5/6/7/8/9/10/20/several/many/multiple/numerous/countless/"
    "endless/so_many/"
    "various/dozens_of"
)
LETTERS = (
    "email/emails/mail/mails/message/messages/call/calls/ticket/tickets/request/requests/complaint/complaints/reminder/reminders/"
)
LETTERS += "attempt/attempts/letter/letters/enquiry/enquiries/inquiry/inquiries/chat/chats/e_mail/e_mails/voicemails"
TELL = (
    "writ*/wrote/email*/call/calling/called/phon*/ring/rang/ringing/contact*/report*/ask/asking/asked/messag*/complain*/"
    "chasing/chased/chase/tell*/told/"
)
TELL += "request*/explain*/reach*/mail/mailing/mailed/raise/raised/raising/follow*"
TOLD = (
    "contacted/called/emailed/e_mailed/mailed/written/wrote/asked/phoned/messaged/rang/rung/complained/reported/chased/"
    "told/requested/"
    "explained/tried/reached_out/followed_up/texted/queried/raised"
)
NOBODY = "nobody/no_one/noone/no_body/none_of_you"

URGENT: dict[Urgency, str] = {
    "legal_threat": f"""
will/ill/well/gonna/going_to/shall/may/might/to/id ~ sue
sue you/your/them/u/this_company/the_company
suing you/your/them/this_company/the_company/for
my/our/own ~ {LAWYER}
hiring/hire/instruct*/consult*/contact*/call/calling/involv*/involve/speak*/spoke*/talk*/get/getting/seeing ~ {LAWYER}
{LAWYER} ~ will/is/are/says/involved/contact*
hear* from ~ {LAWYER}
take/taking/took/dragging/drag ~ to ~ court
go/going/went/off/heading ~ to court
see/meet you ~ in ... court
small_claims ?court
court order/case/action/proceedings/claim
legal action/actions/steps/proceedings/claim/route/recourse/consequences/measures/advice/case/notice/means
lawsuit/lawsuits/class_action/litigat*
pursu*/proceed*/taking/take ~ legally/legal
complain*/report/reporting/reported/claim/going/go/escalat*/file/filed/filing/lodg*/case ... to/with ~ {OFFICE}
contact*/inform*/involv*/notif*/call/called/calling ~ {OFFICE}
press*/pressing charges
breach of ~ contract
""",
    "safety": f"""
caught/catching/catches fire
burst*/went/go/goes into/up_in flames
started/starts/cause*/caused/causing a fire
is/was/went/set ~ on fire
smoke ~ came/coming/comes/pour*/from/out/fill*
started/starts/start/began/begins/is/was/keeps/were smoking
electric/electrical/static shock*
electrocut*
got/get/gave/gives/received a shock from/when
allergic/anaphylactic reaction*/shock
anaphyla*
burn/burned/burnt/burns/burning/scald* ~ my/his/her/our/their {BODY}
burned/burnt/scald* myself/himself/herself/son/daughter/child/kid/me
burns on my/his/her
exploded/explodes/exploding/explode
an explosion
{DEVICE}/it/phone/laptop/unit/machine/tyre/tire/kettle/oven/bottle/then ~ blew/blown/blows/blow up
was/were/got/been/is/seriously/badly injured/hurt/wounded/bitten
injured/injures/hurt ?my/his/her ?little/old ?son's/left/right {BODY}/son/daughter/child/kid/kids/baby/wife/husband/mother/\
father/dog/cat
injured me/someone/us
injur* ... because/when/from/after/due
chair/ladder/shelf/bed/stool/table/bench/scaffold*/crib/cot/stroller/railing ~ collaps*/broke_under/gave_way
found/find/was/were/had/bit ... glass/metal/needle*/blade/blades/screw/plastic ~ in/inside
ended/end/taken/rushed/went/go/admitted/landed/put/brought ... hospital/emergency_room/er/emergency/icu/hospitalised
hospitali*
call*/needed/need/called/calling ~ ambulance/paramedic*/fire_brigade/fire_department/911/999/112
food poisoning
poisoned/poisoning
kill/killing/hurt/harm/harming myself/ourselves/yourself/himself/herself
suicid*/self_harm/self_harming
end/ending/take/taking my ?own life
want/wanna/going/wish ~ to/i die/was_dead/were_dead
could/might/nearly/almost/would ~ kill/killed/died/die/drowned/suffocated
brake/brakes ~ fail/failed/failing/broke/gave/stopped/not/dont/didnt
brakes/brake/steering failure
threat* ~ me/us/my/him/her/our/violence/to_kill/to_hurt
assaulted/assaults/assaulting/assault me/us/my/his/her/by
attack*/punch*/punched ~ me/my/us/him/her
smell*/smelled/smelt/stink*/reek* ~ of/like ~ gas/burning/burnt
gas leak*
carbon_monoxide
got/gave/gives/have/has/having/had/developed/caused ~ rash/rashes/hives/blister*/swelling
face/lips/eyes/throat/tongue/skin ~ swell*/swelled/swollen/swelling/blistered/peeling
cant/couldnt/trouble/difficulty/stopped/unable_to ~ breath*
sparking/sparks
cut/cuts/slashed/sliced ~ my/his/her ~ {BODY}
choked/choking/chokes/choke on
nearly/almost chok*/drown*/suffocat*
{DEVICE} ~ melt*/melted/burst/burning/burnt/burned/sparks/sparking/smoking/swollen/leaking
feel*/felt ~ unsafe/threatened/in_danger
fire/safety/health/choking/electrical hazard*/risk/risks
is/was/are/were/extremely/very/really/so dangerous
life threatening
made/makes/making ~ sick/faint/vomit/pass_out/ill/dizzy
fainted/passed_out/unconscious/seizure
contaminated
""",
    "cancellation": f"""
cancel/cancels/cancelling/canceling/cancelled/canceled/terminat* ~ {CONTRACT}
end/ending/ended/close/closing/closed/shut/shutting/stop/stopping my/our/this/the/down_my {CONTRACT}
delet*/remove/erase ?all ?of my/our ?entire/whole/user/customer account/subscription/profile
cancel me/it_all/everything
im/am/are/were/be/ill/gonna ?now/just/definitely/also/therefore cancelling/canceling
want/would_like/wish/need/decided/going/plan/planning/like/have to cancel ,/./now/today/immediately/because/asap/after/as
unsubscribe/unsubscribing/unsubscribed ~ from ~ plan/service/subscription/premium/membership
switch*/moving/move/chang*/going/go/migrat*/transfer*/porting/ported ... to ~ another/different/other/new/your ~ {RIVAL}
switch*/change/changing/changed ?to ?a/another/my/our ?different/new providers/provider/banks/suppliers/supplier/carrier/\
carriers/companies
leav*/leaving/left/moving/go/going/switch*/head*/jump*/chang* ~ to/for ~ competitor*/competition/rival/rivals
leaving/quitting/ditching/dropping you ./,/for/guys/because/after/and/now/soon
leaving/quitting/ditching/dropping your_company/your_service/this_company/this_service/this_bank/your_bank
i/we/ill/well ~ leave you/your/./,/if/and/this_company
not/wont/never/dont/stop/nor ~ renew*
lost/losing/lose ~ customer/client/subscriber/me_as/my_business/our_business
take/taking/took my/our business/money/custom elsewhere/somewhere_else
i/we/ill/well/im ~ go/going/shop/shopping elsewhere
want/wants/get/let/getting ~ out of ~ contract/agreement/subscription/deal/plan
im/am/are/so/were/is done with you/your/this_company/this_service/this_bank
signed/sign/signing ~ with ~ another/different/other/competitor*/new ~ {RIVAL}
quit/quitting your/this/the/my ~ service/app/platform/membership/subscription
stop my/our ~ service/subscription/contract/membership
cancellation of/for my/our
request*/want/need/process/confirm ~ cancellation
""",
    "outage": f"""
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
entire/whole/all ~ team/office/company/staff/department/business/building ~ blocked/stuck/idle/offline/down/can't/cannot/affected
all/every ~ checkout*/payment*/order*/request*/calls/transactions ~ fail/failing/fails/failed/blocked
""",
    "money_taken": f"""
was/were/been/got/get/being/am/is/im ~ {CHARGED} ... {TWICE}
{CHARGED} ~ me/us/my/our ... {TWICE}
{CHARGED} twice ?for
payment/payments/money/amount/fee/it/order/subscription ~ taken/debited/deducted/charged/collected/withdrawn/billed ... {TWICE}
taken/took/take/deducted/withdrew/withdrawn ~ payment/money/amount/fee ~ {TWICE}
double/doubly/triple charg*/charging/bill*/billed/payment/payments/debit*
duplicate/duplicated/double charge*/payment*/debit*/transaction*/billing/invoice/withdrawal
unauthori*/unknown/fraudulent/unrecognised/unexplained/mysterious ~ {CHARGE}
{CHARGE} ... never/not/didn't/don't/haven't/without ~ authori*/recogni*/made/approv*/agree*/know
never/not/didn't/don't/cannot/can't/do_not ~ authori*/recogni*/approv* ~ {CHARGE}
took/taken/taking/withdrew/withdrawn/deducted/debited/stole/stolen/charged/removed ... without ~ permission/consent/\
knowledge/asking/authori*/approval/reason/notice/telling
took/taken/taking/withdrew/withdrawn/deducted/debited/stole/removed ~ from ~ my/our ~ account/card/bank/wallet/balance
debited my/our ~ account/card/bank
keep/keeps/kept/still/continue*/stop charging/billing/debiting/charge
{CHARGED} ... after/although/though/despite/even ... cancel*/closed/ended/returned
charged/billed/paying for ~ something/things/items/month/service/subscription/product/order ... never/not/didn't/don't
overcharg*/over_charged
charged/billed ~ too_much/wrong_amount/the_wrong/incorrectly/wrongly
where ~ my/our ~ refund/money
haven't/hasn't/not/never/didn't/nothing/still/no ... refund/refunded/reimbursed/money_back/reimbursement
refus*/deny/denied/denying/declin*/reject*/withh*/won't ... refund*/money/reimburs*/money_back
refund*/reimbursement ~ denied/refused/rejected/declined/withheld/never/not/hasn't/hasnt/still/nowhere/missing/didn't/pending
refund ~ and/but/yet nothing/nobody/never/still/no_one/not
await*/waiting ... refund/reimbursement/my_money
want/give/need/demand/demanding/like/getting ~ my/our money ?back
{NOBODY} ... money_back/money
you ?still owe/owes/owed me/us ~ money/refund/pounds/euros/dollars
fraud/fraudulent/fraudulently/fraudster*
scammed/defrauded/swindled
stole/stolen/stealing/steal ~ money/card/savings/balance
account/card/wallet ~ hacked/stolen/compromised/emptied/drained
someone/somebody/stranger ~ used/using/bought/accessed/ordered ~ my ~ account/card/name/details
money/funds/balance ~ missing/gone/disappeared/vanished/left/stolen
""",
    "repeated_contact": f"""
{NTH} ?support/unanswered/complaint/follow_up {LETTERS}
{NTH} time/times ... {TELL}
for the {NTH} time ,/now/please/can/could/why/my/this/i_am/im
{TOLD} ... {COUNT} ~ times
{TOLD} ... twice/again_and_again/over_and_over/repeatedly/time_and_again/every_day/every_week/daily
again_and_again/over_and_over/repeatedly/time_and_again ~ {TELL}/{TOLD}
{COUNT} times ~ {TOLD}
{COUNT} ~ {LETTERS} ... no/zero/without/nobody/no_one/noone/ignored/unanswered/nothing/never/not/still/later
after/despite/last {COUNT} ~ {LETTERS}
my/our ~ {COUNT} {LETTERS}
no/zero/without ~ answer/reply/response/feedback ~ after/to/despite/from_you/since ... {LETTERS}/weeks/days/months
still/yet ~ no ~ answer/reply/response/feedback/solution
still/have/has/havent/hasnt/not/never ~ waiting/heard/received/got/had ~ for/a/any/an/back/from_you ~ answer/reply/response/\
callback/word
{NOBODY} ?has/have/ever/even/bothered/had respond*/replie*/reply/answer*/returned/calls/called/call/got/gets/writes/wrote ~ \
to/my/our/me/back/any/us
{NOBODY} replies/responds/answers/answered/replied/responded
never/dont/didnt/wont/havent/doesnt ~ reply/replied/respond*/answer/answered ~ to ~ my/any/our/me
never ~ call/called/calls/got/get/gets/came ~ back
how many more times
how many/often ?times/more do/must/should/have/did/will i/we ... {TELL}
passed/sent/transferred/pushed/bounced/handed ~ from ~ to
been/being/getting/got/get/am/im/was passed/bounced/sent around/back_and_forth/in_circles
every/each time i/we call/contact/write/email/phone/ring
been/am/im/keep/kept ~ chasing/asking/calling/emailing/writing/ringing/contacting/phoning/begging ... week/weeks/month/\
months/days/ages/year/forever
i/we ?have/had/must ?to keep/kept calling/asking/emailing/writing/chasing/contacting/repeating/explaining
unanswered
ignor*/ignoring ~ my/our/all/me ~ {LETTERS}
{LETTERS} ~ ignored/unanswered/go_nowhere/without_answer/without_reply
yet another {LETTERS}
following/follow up ~ again/once_more/yet_again/for_the
had/have/having/need ~ to call/write/contact/email/ask/ring/phone/chase ~ again/twice/repeatedly/daily
opened/sent/filed/raised/submitted/left/made ~ {COUNT} ~ {LETTERS}
chasing ~ for ~ week/weeks/month/months/days
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
no need
tennis/food/basketball/squash/badminton/volleyball/padel court*
lawyer*/attorney*/legal/court software/app/drama/show/booking/pages
hope ~ never
""",
    "safety": """
player*/match/goal/league/coach/season
smoking hot/area/room
toy/toys/game/movie/film/novel/book/song/album/series/episode/podcast
with/of flavour*/flavor*/taste
blew/blow me_away/up_the_picture/up_the_photo
blow/blew/blown up the/a picture/photo/image/balloon/mattress
""",
    "cancellation": """
cancel*/cancelling/canceling ~ order/booking/appointment/flight/trip/meeting/reservation/visit/delivery
how long
any_time/anytime/whenever
noise cancel*
used_to/years_ago
came/come/coming back
convinced/persuaded ~ stay
""",
    "outage": """
can't/cannot/couldn't/nothing/nobody ~ work*/works ~ better
down to/the
status page
planned/scheduled
no service charge/charges/fee/fees
old/previous/former provider/supplier/company
no_longer/not_anymore
back up/online
""",
    "money_taken": """
twice as
refunded ~ it/me/us/at_once/immediately/quickly/straight/right_away/promptly/within/same
was/got/been/were/immediately/quickly/promptly refunded
money/refund ~ was/is/came/arrived ~ back/next/within/promptly
received/got/had ~ money/refund back/within/quickly/next/immediately
resolved/sorted/corrected
fraud protection/warning/warnings/prevention/alert/alerts/detection/team/department
refund/refunds policy/policies
how long/do/does
""",
    "repeated_contact": """
review/reviews/order/ordered
bought/selling/sell/concert
always ~ answer/answered/help/helped/friendly/happy
""",
}
