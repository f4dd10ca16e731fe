"""Threats of legal action, in English."""

from services.sentiment.domain.urgency.english.words import LAWYER, OFFICE

URGENT = f"""
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
seek*/need/want/get/getting/find/obtain*/take/taking ~ legal help/counsel/representation/redress/aid/remedy/remedies/assistance
retained/retain/retaining/our/my counsel
counsel ~ advised/advises/has/have/will/to
letter/letters/hear*/come/comes/coming/mail/papers ... from ~ {LAWYER}/law_firm/law_office
{LAWYER} ~ know*/draft*/drafting/writing/write/get/get_in/has/have/been/to
lawyer/lawyering/lawyered up
a/the judge/magistrate ~ will/can/may/might/should/thinks/think/decide/decides/says/say
before/in_front_of ~ judge/magistrate/court/courts/tribunal
be/get/getting/being sued
rather/considering/consider/about/start*/thinking_of/of/to/will sue/suing ./,/than/if/unless/over/because
this/it/you/them/rights/we/up/end/ends/settle*/damages/compensation/claim ~ meet/in/through/via/to/at ~ court/courts/\
tribunal/arbitration
tribunal/tribunals/arbitration
commenc*/initiat*/begin/beginning/bring/bringing/start/starting/issue/issuing ~ proceedings/suit/litigation/court/legal/\
class_action
file/filing/filed/bring suit
issue/issuing/file/filing ~ claim ... court
letter before action/claim
cease_and desist
summons/subpoena
served ?with ?legal papers
you ~ be served ./,
police report/complaint
police/cops ~ informed/notified/involved/contacted/called/know/station
the police/cops ./,/about/if/because/and
{OFFICE} ~ hear/know/knows/informed/notified/has_my/has_our/will_be/will_hear/involved/will_know/has_been/have_been
submit*/escalat*/raised/taken/take/taking/refer*/turn*/writ*/wrote ... to/with ~ {OFFICE}
will/ill/well/to/be ~ take/taking this/it/things/matters further
violat*/breaking/broke/break/breach*/against ~ law/laws/gdpr/legislation/consumer_rights
illegal ... report*
will/ill/going_to/shall ~ report you/your/this_company/the_company
seek*/claim*/sue_for damages
seek*/claim*/demand* ~ compensation ... court/courts/legally
hold/held/holding you/your/them ~ liable/accountable
hold/held/holding/are/is ~ legally responsible/liable/obliged/accountable
everything/all/anything ~ law allows/permits
have/get/set the law on/after
criminal offence/offense/complaint/charges
"""

UNLESS = """
no need
tennis/food/basketball/squash/badminton/volleyball/padel court*
lawyer*/attorney*/legal/court software/app/drama/show/booking/pages
hope ~ never
lawyer*/attorney* friend/recommend*/love/loves/uses
"""
