"""Words that stand for one another in the English phrases."""

NEGATIONS = (
    "no not never don't won't didn't doesn't isn't aren't wasn't wouldn't haven't hasn't can't cannot without nobody "
    "neither nor nothing hardly"
)
LAWYER = "lawyer/lawyers/attorney*/solicitor*/barrister*/legal_team/legal_department/legal_counsel"
OFFICE = (
    "ombudsman/trading_standards/bbb/attorney_general/consumer_protection/consumer_rights/consumer_affairs/consumer_council/consumer_watchdog/watchdog/consumer_financial/"
    "financial_conduct/information_commissioner*/fca/fcc/cma/accc/cops/food_standards/fda/health_department/health_inspector*/osha/hse/consumer_agency/data_protection/police/"
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
CONTACTED = (
    "contacted/called/emailed/e_mailed/mailed/written/wrote/asked/phoned/messaged/rang/rung/complained/reported/chased/"
    "told/requested/"
    "explained/tried/reached_out/followed_up/texted/queried/raised"
)
NOBODY = "nobody/no_one/noone/no_body/none_of_you"
LIMB = (
    "arm/arms/wrist/leg/legs/ankle/hip/rib/ribs/hand/finger/fingers/nose/"
    "collarbone/knee/toe/foot/neck/shoulder/elbow/thumb/back/skull"
)
STAFF = (
    "driver/courier/employee/employees/technician/staff/agent/manager/guard/waiter/worker/engineer/man/guy/he/she/they/colleague/"
    "clerk/salesman/host/rider/trainer/postman"
)
BRAND = (
    "vodafone/verizon/t_mobile/tmobile/o2/ee/orange/telekom/comcast/netflix/spotify/amazon/at_t/sky/bt/virgin/disney/google/"
    "microsoft/apple/revolut/monzo/paypal/stripe/shopify/hubspot/salesforce/zendesk/slack/zoom/dhl/ups/fedex/octopus"
)
SEEK = "looking/searching/evaluating/exploring/considering/comparing/shopping/thinking"
INFRA = "server/servers/system/systems/platform/site/website/network/api/database/backend/gateway/portal/software/\
service/webshop"
SITE = f"{INFRA}/page/app/dashboard/program"
NET = "internet/wifi/wi_fi/broadband/phone_line/landline/signal/connection/electricity/power/network/phone/reception"
CANNOT = "cant/cannot/can_not/unable_to/couldnt/not_able_to/impossible_to/cant_even/arent_able_to/isnt_able_to"
TOOK = "took/taken/taking/take/pulled/withdrew/withdrawn/deducted/debited/stole/removed/taking_money/collected/charged/drawn"
CHARGING = "charge/charged/charging/bill/billed/billing/debited/debiting/taking/take/paying/deducting/deducted/invoiced/charges"
ACCT = "account/card/credit_card/debit_card/wallet/paypal/identity/profile"
INTRUSION = (
    "someone/somebody/stranger/strangers/thief/thieves/hacker/hackers ~ hacked/got/broke/logged/stole/spent/withdrew/transferred/"
    "emptied/used/using/ordered/bought/took/accessed/paid"
)
