"""The customer has written or called before, without success, in English."""

from services.sentiment.domain.urgency.english.words import CONTACTED, COUNT, LETTERS, NOBODY, NTH, TELL

URGENT = f"""
{NTH} ?support/unanswered/complaint/follow_up {LETTERS}
{NTH} time/times ... {TELL}
for the {NTH} time ,/now/please/can/could/why/my/this/i_am/im
{CONTACTED} ... {COUNT} ~ times
{CONTACTED} ... twice/again_and_again/over_and_over/repeatedly/time_and_again/every_day/every_week/daily
again_and_again/over_and_over/repeatedly/time_and_again ~ {TELL}/{CONTACTED}
{COUNT} times ~ {CONTACTED}
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
{COUNT} ~ {LETTERS} ?, ... no/zero/without/nobody/no_one/noone/ignored/unanswered/nothing/never/none/not
{LETTERS} number/nr two/three/four/five/six/seven/eight/nine/ten/2/3/4/5/6/7/8/9/10
this_is/its/thats number two/three/four/five/six/seven/eight/nine/ten/2/3/4/5/6/7/8/9/10
tired/sick/fed_up/exhausted/weary/enough ~ of/with/from ~ calling/writing/chasing/repeating/asking/explaining/emailing/begging/\
contacting/ringing/phoning/messaging/ignored
tired/sick/fed_up/enough ~ of/with waiting for ~ answer/reply/response/call/callback/someone/somebody
how many ?more {LETTERS} ... does_it_take/do_i/must_i/do_we/until/before/should_i/will_it_take
keep/keeps/kept/only/always/just getting/get/got/receive/receiving ~ same/automated/canned/automatic/generic/\
standard ~ reply/replies/\
answer/answers/response/responses/email/emails/message
keep/kept/keeps calling/writing/asking/emailing/ringing/phoning/chasing/messaging/contacting
{NOBODY} ?ever/has/have/will/even/seems_to/is/ever_has ?ever pick/picks/picked ?up ?up
{NOBODY} ?ever/has/have/will/even ?ever get/gets/got/gotten/getting/comes/came/call/calls/called/phoned/rang/rings/\
wrote/writes ?me/us back
{NOBODY} ?ever/has/have/will/even/is/seems ?to ?ever answer/answering/reply/replying/responding/respond/reacts/reacted/\
cares/listens/\
listening/bothers/bothered
promis* ... call*/reply/answer/email/contact ... never/nobody/didnt/not/still/nothing/waiting/no_one
promis*/told/said/assured ... call/callback/call_back/called/reply/contact/answer/email ?, ~ nobody/never/no_one/\
nothing/still/didnt
still nothing from/./,/heard/since
havent/not/never/hasnt ~ heard ~ back/anything/word/since
weeks/days/months/week/month/fortnight ~ and/with/without/of/but/later ?still ?there_is no/silence/any/an/a/zero/nothing \
?single answer/reply/response/word/feedback/./,/from
weeks/days/months ~ of/complete/total/radio silence
radio silence
nothing/only/complete/total/just/but silence ./from/since/from_you/,
ignor* me/us/my/our
being/been/feel/feeling/getting/get ~ ignored
does/do/is/has anybody/anyone/somebody/someone ~ read/reading/reads/there/listening/reply/replying/responding/answering/\
answer/even
hello ?? ~ anyone/anybody ~ ?there ?/.
can/could/will/would/please/you ~ finally answer/reply/respond/help/call/react/get
answer/reply/respond finally
why ~ does/is/do/wont/has/doesnt/dont/cant ~ nobody/no_one/anybody/anyone/you ~ answer*/reply*/respond*/react
already told/explained/asked/informed/reminded/written/emailed/contacted/spoken/reported/complained/called ~ you/this/that/it/to
explained/told/spoken/spoke/talked/described ~ this/it/to/with ~ {COUNT} ~ agents/people/different/persons/employees/\
colleagues/\
representatives/reps/advisors/departments/operators
every/each ~ agent/person/time/colleague/representative/rep/call ~ tells/says/told/gives/said ~ different/something/else/another
pillar to post
one department/agent/person to ~ next/another/other
on hold ... times/again_and_again/every
called/calling/wrote/writing/emailed/emailing/phoned/contacting/messaging/asking/rang/complaining again ./,/today/\
yesterday/and/because/\
about/but/same/to/with
again/once_again/yet_again ~ i/we/im/ive/weve ~ have/had/must/am/to/asking/writing/calling/contacting/emailing ~ {TELL}
again/once_again/yet_again im/i_am/we_are ~ asking/writing/calling/contacting/emailing/messaging
{CONTACTED}/calling/writing/emailing/ringing ~ every/each day/week/morning/month/single
{CONTACTED} ... last_week/last_month/yesterday/monday/before ?, ... and/now ~ again/today/before/before_that
have/had/having/to/keep/keeps repeat*/repeating myself/ourselves
repeating myself/ourselves
lost/lose/losing/cant ~ count/track/count_how ... {TELL}/calls/emails/mails/times/tickets/messages/called
{COUNT} ~ weeks/months/days and {COUNT} {LETTERS}
my/the/our ticket/case/complaint/request/issue ~ open/pending/unresolved/waiting for/since
closed/close/closing ~ my/the/our ticket/case/request/complaint ... without/again/unresolved/twice/before
ticket/case/complaint ~ closed ~ without/again/unresolved
reminded you/them/your/support/customer_service
raised/reported/mentioned/complained/written/contacted ~ this/about/you/to ~ before/already/previously/many_times/several_times
{NTH} ~ reminder/attempt/complaint/follow_up/request
"""

UNLESS = """
review/reviews/order/ordered
bought/selling/sell/concert
always ~ answer/answered/help/helped/friendly/happy
both_times/solved/fixed/resolved/lovely/friendly/all_great/all_kind/were_great/was_kind/so_helpful
book/booked/booking/buy/visit/visited/visiting/stayed
say/saying/said thank*/thanks/you
love/loved/glad ~ it/this/you
faster/better/quicker than
got/had/received/was/were ~ answered/friendly/quick/answers/helpful
friends/family
"""
