"""Money that was taken or not paid back, in English."""

from services.sentiment.domain.urgency.english.words import ACCT, CHARGE, CHARGED, CHARGING, INTRUSION, NOBODY, TOOK, TWICE

URGENT = f"""
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
two/three/2/3/several/multiple ~ identical/equal/same payment/payments/charges/debits/transactions
see/seeing/find/found/are/shows/have/got/were ~ two/three/2/3/several/double/multiple charges/debits/deductions/\
withdrawals/transactions
a/this/another/the second charge/debit/deduction/withdrawal
another/additional/extra/surprise charge/debit/deduction/withdrawal on ~ card/account/statement
same ~ amount/payment/sum/charge ~ taken/debited/charged/deducted/left/withdrawn/again ?again
helped/helping/help yourselves/yourself/themselves ?to
{TOOK} ... from/out_of/off ~ my/our/his/her ~ account/card/bank/wallet/balance/savings
took/taken/taking/pocket*/kept/keeping ?all/of my/our/peoples money/cash/deposit/payment
paid ... and/but ~ got/received/get/have nothing
paid ... never/nothing ~ received/got/arrived/delivered/came/shipped/sent
never/not/didnt/did_not/dont ~ agree*/consent*/approv*/sign*/subscrib*/request* ... charg*/payment/billed/purchase/\
transaction/debit*/\
deduct*
{CHARGE} ... arent_mine/not_mine/isnt_mine/wasnt_me/not_me
{CHARGE} ?that/which i/we did/didnt/never/have ~ make/made/authori*/recogni*/approve*/order/agree*
not/never/didnt ~ make/made/place this/these/that/any {CHARGE}
cancel*/unsubscrib*/closed/terminated/left/ended/quit ... ?, ~ still/keep/keeps/again/was/were/got/been ~ {CHARGING}
cancel*/unsubscrib*/closed/terminated/left/ended/quit ... yet/and/but you/they ~ {CHARGING}
{CHARGING} ... after/although/though/despite/even/when ... cancel*/closed/ended/returned/left/unsubscrib*/quit
{CHARGING} ~ for ... i/we ~ cancelled/canceled/returned/never/didnt/did_not/dont/sent_back
{CHARGING} ~ me/us ... never/didnt/not ~ sign*/order*/use/used/receive*/request*/ask/want*/agree*
keep/keeps/kept/still/constantly/repeatedly/again getting/being/been/am/get {CHARGED}
renew* ... without ~ ask/consent/permission/notice/my/warning/telling/approval
still/yet/weeks/months/days/and/but/week/month ~ no ~ refund/money_back/reimbursement
no refund yet/so_far/received/after/despite/since/came/arrived/in_sight
yet to receive/get/see/be ~ refund*/money/reimburs*/cash
when ~ will/do/am/are/can/is ~ get/getting/receive/see/have/be ~ refund/refunded/money/reimbursed/deposit
promis*/agreed/supposed/owe/owed ... refund* ... didnt/never/nothing/not/havent/nowhere
refund ... never/not/hasnt/havent/didnt/isnt ~ came/come/arrived/arrive/processed/issued/paid/credited/showed/received/appeared
deposit/money ... never/not/hasnt/havent/still/wont ~ returned/return/back/refunded/received/arrived
keep/keeping/kept/withh*/never_returned/not_returned/return/release ~ my/our deposit/bond/money/funds
demand*/insist*/require ~ full/immediate/a/on/my refund/reimbursement ./,/now/immediately/today/asap/or
want/need/expect ~ full/a/my refund/money now/immediately/today/asap/at_once
give/pay/send/hand ~ my/the/our/me/us ~ money/cash ~ back
return/refund/release my/our/the money/deposit/funds/payment/cash
refund me/us immediately/now/asap/today/at_once/or/.
pay/paid/give back what/everything
theft/thieves/thief/robbed/robbing/robbery/crooks/scam/scams/scammer*/swindl*/con_artist*/ripped_off/daylight_robbery
{ACCT} ~ used by/without/in/abroad/fraud*
{INTRUSION} ... my/our ~ {ACCT}/money/points/credit/savings/details/credentials
strange/weird/suspicious/random/unfamiliar/odd/mystery/bogus/false/incorrect/unexpected ~ {CHARGE}/deductions/withdrawals
what/whats ?is/are ?this/these/the/that charge/charges/debit/deduction/withdrawal ~ on/from/my
dont/not/no know/understand/idea/recall/remember ~ what/this/making ~ {CHARGE}
balance/wallet/account ~ suddenly/zero/empty/wiped/drained/emptied
card/account/wallet/voucher ~ emptied/drained/wiped/cleaned_out
balance/wallet ~ missing/short
{CHARGED} ~ wrong/incorrect/different/higher/double/triple amount/price/sum/fare/total/rate
{CHARGED} ... more than/instead
{CHARGED} ... instead of
"""

UNLESS = """
twice as
refunded ~ it/me/us/at_once/immediately/quickly/straight/right_away/promptly/within/same
was/got/been/were/immediately/quickly/promptly refunded
money/refund ~ was/is/came/arrived ~ back/next/within/promptly
received/got/had ~ money/refund back/within/quickly/next/immediately
resolved/sorted/corrected
fraud protection/warning/warnings/prevention/alert/alerts/detection/team/department
refund/refunds policy/policies
how long/do/does
anti/book/novel/movie/film/game
thought/worried/afraid/feared ... scam
fast/faster/quickly/promptly than/refunded/./,
policy/policies
"""
