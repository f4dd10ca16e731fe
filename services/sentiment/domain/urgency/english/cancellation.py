"""Customers who leave, in English."""

from services.sentiment.domain.urgency.english.words import BRAND, CONTRACT, RIVAL, SEEK

URGENT = f"""
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
discontinu*/deactivat*/ceas*/terminat*/disconnect ~ my/our/this/the ~ {CONTRACT}/profile/everything
want/need/like/wish/have/get ~ my/our ~ {CONTRACT}/profile ~ deleted/closed/cancelled/canceled/terminated/stopped/ended/removed
{CONTRACT} ~ should/must/to ~ be deleted/closed/cancelled/canceled/terminated/ended
consider ~ my/our/this/the ~ {CONTRACT}/relationship ?as cancelled/canceled/terminated/over/ended/finished/void
dont/not/no/never ~ want/wish/intend/like ~ to ~ be/remain/stay ~ customer/client/member/subscriber
dont/not/no ~ want/need ~ your service/services/product/contract/subscription any/anymore/longer
im/i_am/we_are/well_be/ill_be ?now/definitely/also leaving ./,/for_good/because/now/asap/your/this_company
leaving/left after ~ years/months
im/i_am out/off ./,
im/i_am/we_are/were ~ off/over/going/going_over/switching/moving/leaving ~ to/for {BRAND}
switch*/moving/move/moved/migrat*/over/go/off/chang*/went ~ to ~ {BRAND}
look*/search*/shop*/find ~ for/a/another ?another/a/an ?new/different/other/alternative ~ provider/supplier/bank/\
carrier/vendor/\
insurer/operator/isp/alternative
{SEEK} ~ other/alternative/different/new/competing provider*/supplier*/banks/vendor*/insurer*/options/carriers/platforms
{SEEK} ~ alternatives
{SEEK} ... switch*/leaving/cancelling/canceling/moving_away
how/want/need/please/tried/trying/like/decided/let_me/hard/difficult/impossible/wish/cant/cannot/intend ~ cancel ./?/,/\
everything/\
already/immediately/now/asap/with_you
need/want/trying/tried/like to cancel this/it ./?/,
enough ?, ~ cancel
turn/switch off/of ~ auto/automatic ~ renew*
disable/stop/cancel/turn_off/switch_off ~ auto_renewal/auto_renew/autorenew*/automatic_renewal
not/wont/dont ~ continu*/extend*/prolong*/stay*/remain* ~ with_you/contract/agreement/subscription/membership/customer
my/our/this_is/was ~ last ~ month/year/week/bill/order/day with/from/to/,/as you/goodbye/a/customer
youve/just/have/you lost me/us ./,/as/for/forever
give/giving/given/gave/hand/handing/handed/serve/serving ~ notice
consider/accept/this_is/take_this/here_is/heres ... notice
notice of ~ termination/cancellation/withdrawal
remove/take/unsubscribe me/us from/off ~ service/plan/platform/subscription/membership
opt/opting/let_me/let_us/get/getting/want ~ out of ~ {CONTRACT}/deal
end/ending/cut/cutting/sever*/terminat* ~ relationship/ties/cooperation/partnership/collaboration
withdraw*/resign*/pull_out/pulling_out from/of ~ {CONTRACT}/deal
right of ~ withdrawal/cancellation
port/porting/transfer*/take/taking ~ my/our number/numbers ~ out/away/to/elsewhere
pac/porting/stac/puk code
my/our/money/business/custom/orders/customers ~ elsewhere/somewhere_else
take/taking/took ~ business/custom/money/account to ~ competitor*/competition/rival*/another
i/we/ill/well/will/going ~ go/find/try/use/buy/look/shop/going ~ somewhere_else/someone_else/elsewhere
part/parting ways
pull/pulling/withdraw/withdrawing my/our business/funds/investment/money
deleted/deleting/uninstall* ~ my/the ~ account/profile ./,/and/today/after/because/for
ditch*/dump*/dropping/abandon*/quitting/leaving ~ your/this ~ service/company/platform/app/bank/product/network
back to ~ my/our old/previous/former/last ~ {RIVAL}
jump*/abandon* ship
moved/moving/migrat*/transferr*/switched ~ everything/all/data/accounts/business ~ to ~ rival*/competitor*/another/other
goodbye ?, ~ lost ~ customer
"""

UNLESS = """
cancel*/cancelling/canceling ~ order/booking/appointment/flight/trip/meeting/reservation/visit/delivery
how long
any_time/anytime/whenever
noise cancel*
used_to/years_ago
came/come/coming back
convinced/persuaded ~ stay
easy/easily/free/simple/simply ~ cancel*
my/our other/old
found ~ you/yours/this/it
order/booking/appointment/flight/reservation/parcel/delivery ~ cancel*
"""
