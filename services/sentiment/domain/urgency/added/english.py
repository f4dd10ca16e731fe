"""English."""

from services.sentiment.domain.urgency.english.words import LAWYER, NOBODY, OFFICE
from services.sentiment.domain.urgency.english.words import NEGATIONS as NEGATIONS
from shared.events import Urgency

PEOPLE = "staff/colleagues/team/teams/users/office/company/department/warehouse/agents/customers/guests/employees/nurses/drivers"
MACHINES = (
    "till/tills/terminal/terminals/register/registers/checkout/checkouts/card_machine/card_machines/card_reader/card_readers"
)
SYSTEMS = "platform/system/site/website/portal/app/service/server/servers/network/internet/line/api/dashboard/software/login"
MONEY = "refund/deposit/money/reimbursement/compensation/credit/cashback/payout/overpayment"
DEBITED = "took/taken/take/taking/charged/debited/billed/withdrawn/deducted/collected"
DAYS = (
    "monday/tuesday/wednesday/thursday/friday/saturday/sunday/yesterday/this_morning/last_night/noon/midnight/dawn/"
    "weeks/days/hours"
)
MONTHS = "january/february/march/april/may/june/july/august/september/october/november/december/spring/summer/autumn/winter"
RELATIVE = "son/daughter/child/kid/baby/wife/husband/mother/father/mum/dad/grandmother/partner/he/she/my/her/his/our/me"
INQUIRED = "asked/chased/chasing/wrote/written/called/emailed/raised/reported/rang/phoned/contacted/requested/messaged/reminded"

URGENT: dict[Urgency, str] = {
    "legal_threat": f"""
explain/tell ~ to/it_to ~ judge/court/magistrate/{LAWYER}
sent/passed/handed/forwarded/gave/given/referred ... to ~ our/my/the/a ~ {LAWYER}
sent/passed/reported/referred/forwarded/escalated/taking/take ... to ~ the/an ~ {OFFICE}
your/the next letter ~ from
legal insurance/protection/cover ~ will/is/has/takes/taking/involved
you/youll/you_will ~ hear/hearing ~ from ~ lawyer/lawyers/solicitor*/attorney*/court
formal/official complaint ~ with/to ~ {OFFICE}
statutory/legal/consumer rights ~ court/claim/enforce/sue
final notice before ~ action/claim/court
prepared/ready/willing/happy/forced to ~ go_to/take ~ court/legal/law/tribunal
""",
    "safety": f"""
scorched/singed/charred/melted ~ sheet/carpet/table/wall/floor/skin/hand/bed/curtain/sofa/through
began/started/starts/begins ~ to ~ smoke/burn/spark/melt
spark/sparks/sparking/sparked ~ from/out/flew/when/fly/flying/and
throat/airway/face/lips/tongue ~ closed/swelled/swollen/swelling
couldnt/cant/struggled_to/could_not breathe
grabbed/shoved/pushed/slapped/kicked/groped/spat ~ me/my/at/on/us/him/her
{RELATIVE} ... slipped/fell/tripped ... broke/broken/hurt/injured/hospital/wrist/hip/head
slipped/fell/tripped ~ on/over/down ... broke/broken/hurt/injured/hospital/wrist/hip/head
choked/choking ~ on
live/bare/exposed wire/wires/cable/cables
carbon_monoxide/gas_leak/gas_smell/smell_of_gas
bled/bleeding/concussion/unconscious/fainted/stitches
came/come/flew/fell ~ off ... nearly/almost ~ hit/killed/hurt
nearly/almost ~ hit/hits/blinded/choked/scalded/electrocuted/ran_over
""",
    "cancellation": """
how/where do/can/could i/we ~ end/leave/terminate/stop/quit/unsubscribe ~ this/it/the_contract/my/./,/?
how/where do/can i/we ~ get_rid_of/get_out_of ~ this/my/the/it
no ~ button/way/link/address/number ~ to/for ~ leave/leaving/cancel/cancelling/end/quit
my/our number/numbers ~ being/already/is ~ ported/moved/transferred
porting/ported ~ my/our ~ number/numbers
moving/taking/move/take/transferring ~ our/my ~ policies/business/accounts/savings/mortgage/custom/contracts ... elsewhere/away
please/kindly ~ end/stop/terminate/close/cancel ~ my/our/the/this ~ subscription/contract/account/membership/plan/policy
last ~ bill/invoice/payment/month/order/year ~ youll/you_will/you/with_you ~ get/see/me/us/from
wont/not/never ~ be ~ renewing/extending/staying/back_next_year
give/giving/gave/hereby ~ notice ./,/on/for/to/of
i/we/ill/well ~ walk/walking ~ away/out
goodbye/farewell/bye ~ after/and/forever/for_good/to_you
end/ends/ending ~ our/my ~ relationship/membership/agreement/time_with_you
opted/opting/want/wish to ~ opt ?out ~ of ~ renewal/contract/plan
""",
    "outage": f"""
none/no/not_a_single ~ of ~ our/my/the ~ {MACHINES} ~ can/will/work/works/take/takes/accept/are/is
{MACHINES} ~ cant/cannot/wont/dont/down/dead/refuse/refusing/offline/stopped/not
nobody/no_one/none/noone ~ in/at/on/of ~ our/the/my ~ {PEOPLE} ... can/could/able
none ~ of ~ {PEOPLE} ... can/could/able/work
{PEOPLE} ~ cant/cannot/unable_to/couldnt ~ work/log_in/login/access/open/print/connect/pay/order/check_in/clock_in
{SYSTEMS} ?has/have/is/are/was/been ?has/have/been ~ unreachable/unavailable/inaccessible/unresponsive/dead/dark ... since/for/\
all/whole/everyone
{SYSTEMS} ~ down/gone/out/dead/off ~ since/for ~ {DAYS}
no/without ~ heat/heating/hot_water/water/power/electricity/gas/internet/signal/phone ... since/for ~ {DAYS}
whole/entire/all ~ {PEOPLE}/building/block/street/village/floor/site/practice/clinic/hotel ~ without/no/offline/dark/down/idle
blackout/brownout ~ since/again/for/in/across
everything/nothing ~ has/is ~ stopped/stopping/working/loading ~ since/./,/for/at
we ~ cant/cannot/unable_to ~ trade/bill/ship/serve/sell/operate/open/invoice/dispatch/treat
have/had/having to ~ close/shut/send ~ shop/shops/store/doors/everyone/staff/customers
status_page ~ green/fine/ok/operational/normal
""",
    "money_taken": f"""
{MONEY} ... never/not/still_not/hasnt/has_not/didnt/havent ~ come/came/arrived/arrive/received/reached/appeared/turned_up/back/\
been/got/showed
never/not/still_not/havent/hasnt/didnt/never_got ~ get/got/gotten/see/seen/received/receive/had ~ my/our/the/a/any ~ {MONEY}
still/you owe/owes/owing ~ me/us
wheres/where_is/where ~ my/our/the ~ {MONEY}
waiting/wait/waited ... for/on ~ my/our/the/a ~ {MONEY}
{DEBITED} ... and_again/then_again/and_once_more/a_second_time/both_months
payment/purchase/transaction/order/charge/withdrawal ... wasnt_me/was_not_me/isnt_mine/not_mine/not_me/never_made/didnt_make/\
dont_recognise/dont_recognize/not_recognise/not_recognize/never_authorised/never_authorized
dont/didnt/not/never ~ recognise/recognize/authorise/authorize/authorised/authorized/approve/approved/agree/agreed/consent/\
consented ... {DEBITED}/charge/payment/transaction/purchase/debit
{DEBITED} ... after/though/although/even_though/despite ~ i/we/my/our ~ cancelled/canceled/left/closed/ended/quit/stopped
keep/keeps/kept/still/continue/continues ~ {DEBITED}/taking/charging/billing/debiting ... cancelled/left/closed/ended/account/\
month/me/us
helped/help/helping ~ yourselves/yourself ~ to/from
robbed/swindled/scammed/defrauded ~ me/us/of/by
stole/stolen ~ my/our ~ money/card/identity/savings/account
my/our ~ card/account/identity ... used/emptied/drained/cloned ~ by/in/to/without/abroad
fraud/fraudulent ~ payment/charge/transaction/order/on/activity
refuse/refuses/refusing/refused/wont/denied/declined ~ to ~ refund/reimburse/pay_back/return ~ me/my/us/the/it/./,
paid/pay ... never/nothing/not ~ arrived/delivered/received/got/came/sent
""",
    "repeated_contact": f"""
{INQUIRED} ... {INQUIRED} ... {INQUIRED}
{INQUIRED} ~ in ~ {MONTHS} , ?and ?then {INQUIRED} ~ in/again/on ~ {MONTHS}
told/telling/explained/explaining/repeated/repeating ~ ?my/the/our/this/same ~ ?same story/issue/problem/case/thing/\
everything ~ \
to/over/again/two/three/four/five/six/seven/every/each
two/three/four/five/six/seven/eight/ten/several/many ~ different ~ people/agents/persons/departments/advisers/advisors/answers
third/fourth/fifth/sixth/seventh/eighth/tenth/umpteenth ~ email/mail/message/call/letter/ticket/attempt/request/chat/\
time_asking/\
time_writing/time_calling
once_again/yet_again/again ~ i/we ~ must/have/am/are/need ~ to/writing/calling/asking/chasing/write/call/ask/chase
start/starts/starting/begin/begins ~ from ~ scratch/beginning/start ~ each/every/with/again/over
{NOBODY} ~ ever/has/have ~ ?ever got/get/rang/ring/called/call/come/came/written ~ back
promised/promise/promises ... call/ring/get ~ back ... never/nothing/nobody/not
how ~ many/often ... {INQUIRED}/write/call/ask/chase/explain/repeat/email/ring
been ~ going_round/going_around/going/round/sent ~ in_circles/circles/round_in_circles
not/without/no ~ so_much_as/even ~ acknowledgement/acknowledgment/reply/answer/response
""",
}

UNLESS: dict[Urgency, str] = {
    "safety": """
game/film/movie/book/novel/show/joke
""",
    "cancellation": """
goodbye to ~ paper/queues/cash/stress
""",
    "outage": """
never/no/zero/not_one ~ outage/outages/downtime
""",
    "money_taken": """
refund/money ~ arrived/came/was_back/received ~ ?the next/within/quickly/fast/same/promptly/at_once/in
how long/do/does ~ refund*
""",
    "repeated_contact": """
recommend/recommended/told_all/tell_all
""",
}
