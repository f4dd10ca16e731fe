"""German."""

from services.sentiment.domain.urgency.german import LAWYER, THING
from services.sentiment.domain.urgency.german import NEGATIONS as NEGATIONS
from shared.events import Urgency

MACHINES = "kasse/kassen/terminal/terminals/kartenleser/kartengerät/kartengeräte/scanner/drucker"
PLACES = "büro/praxis/kanzlei/firma/betrieb/laden/filiale/filialen/team/abteilung/haus/straße/werk/lager/hotel"
MONEY = "geld/kaution/erstattung/rückerstattung/gutschrift/guthaben/betrag/rückzahlung/entschädigung/anzahlung"

URGENT: dict[Urgency, str] = {
    "legal_threat": f"""
mieterverein/mieterschutz/schiedsstelle/datenschutzbeauftragte*/gewerbeaufsicht/ordnungsamt
{LAWYER} ~ setzt/schreibt/meldet/übernimmt/kümmert/prüft/bekommt/hat/wird/weiß
letzte/letztes/letzter ~ frist/mahnung ~ bevor/vor/dann
gehe/gehen/ziehe/ziehen ~ vor ~ gericht
liegt/landet/geht ~ jetzt/nun/bald/morgen/schon ~ beim/bei/zum/zur ~ {LAWYER}/gericht/polizei/verbraucherzentrale
""",
    "safety": """
loch ~ in ~ teppich/tisch/boden/matratze/bett ~ gebrannt/geschmort
schmort*/schmorte/kokelt*/glüht*/glühte
zu ~ rauchen/brennen/qualmen/glühen/schmoren ~ begonnen/angefangen/./,/an
hals/zunge/gesicht/lippen ~ zugeschwollen/geschwollen/schwoll/zuschwoll
ausgerutscht/gestolpert/gefallen ... gebrochen/verletzt/krankenhaus/notaufnahme
gepackt/geschubst/gestoßen/gewürgt/bespuckt ~ worden/mich/hat/wurde
blut/blutend/geblutet/platzwunde/gehirnerschütterung
beinahe/fast ~ erstickt/verbrannt/überfahren/getroffen/abgestürzt/gestürzt
stromschläge/schlag_bekommen/eine_gewischt/gewischt_bekommen
""",
    "cancellation": """
sind/bin ~ zum ~ jahresende/monatsende/quartalsende/ersten ~ weg/raus
wie/wo ~ kündige/kündigt/kündigen ~ ich/man/wir
wie/wo ~ komme/kommt/werde ~ ich/man/wir ~ hier/da/das/den/das_abo ~ raus/los/wieder
bitte ~ beenden/beendet/schließen/schließt/löschen/löscht/kündigen/kündigt ~ mein/meinen/meine/unser/unseren/den/das/sie
ende ~ meines/meiner/unseres/unserer ~ vertrag*/mitgliedschaft/abos/abonnements
das_wars/das_war_es/das_war ~ mit_uns/mit_euch/mit_ihnen/letzte/letzter/letztes
meine/unsere nummer ~ portier*/mitnehmen/mitgenommen/umgezogen
nehmen/nehme ~ unsere/meine/unser/mein ~ aufträge/geschäft/konto/versicherungen ~ mit/woanders
woanders ~ hin/abschließen/unterschrieben/versichern
""",
    "outage": f"""
{MACHINES} ~ stehen/steht/tot/tut/tun/gehen/geht/funktionieren/funktioniert/nehmen/nimmt ... nicht/still/keine/nichts/alle/\
seit/\
aus
niemand/keiner/kein_mensch ~ in/im/bei/aus ... {PLACES} ... öffnen/arbeiten/anmelden/einloggen/zugreifen/drucken/rein
in ~ {PLACES} ... kann/können/konnte ... niemand/keiner/nichts
ganze/ganzes/gesamte/komplette ~ {PLACES} ~ steht/ohne/liegt/offline/lahm/dunkel/tot
{THING} ... seit ~ gestern/heute/montag/dienstag/mittwoch/donnerstag/freitag/samstag/sonntag/stunden/tagen/früh ~ \
?komplett/völlig/total ~ tot/weg/down/offline/aus/gestört/nicht
seit ~ gestern/heute/stunden/tagen/heute_früh/heute_morgen ... kein/keine/keinen/nichts ~ mehr ~ geht/internet/strom/netz/\
wasser/\
heizung/telefon
können/konnten ~ weder/nicht ~ kassieren/abrechnen/ausliefern/verkaufen/öffnen/versenden/behandeln
mussten/müssen ~ schließen/zumachen/dichtmachen/nach_hause_schicken
""",
    "money_taken": f"""
{MONEY} ... nie/nicht/noch_nicht/immer_noch_nicht/bis_heute_nicht ~ zurück/bekommen/erhalten/da/eingegangen/angekommen/gesehen/\
überwiesen/ausgezahlt
{MONEY} ~ liegt/liegen/fehlt/fehlen ~ immer/noch/weiterhin/bis
wo ~ bleibt/bleiben/ist/sind ~ mein/meine/unser/unsere {MONEY}
beitrag/betrag/rate/gebühr ... gleich/schon/wieder/bereits ~ zweimal/doppelt/dreimal ... konto/abgebucht/eingezogen/gegangen/weg
zweimal/doppelt/dreimal ~ vom/von_meinem/von_unserem konto
obwohl/trotz/nach ... gekündigt/kündigung/storno/storniert ... bucht/abgebucht/abbuchung/eingezogen/zieht/berechnet
bucht/bucht_ihr/buchen ... weiter/immer_noch/noch_immer/trotzdem ~ ab/ein/jeden_monat
zahlung/buchung/abbuchung/einkauf ... nicht ~ von_mir/getätigt/autorisiert/veranlasst/genehmigt
habe/hab ~ ich ~ nie/nicht ~ bestellt/genehmigt/erlaubt/autorisiert ... abgebucht/bezahlt/belastet
schuldet/schulden ~ mir/uns
bedient/bedienen ~ euch/sich ~ an/von ~ meinem/unserem konto
""",
    "repeated_contact": """
nullmal/kein_einziges_mal ~ zurückgerufen/geantwortet
zweimal/dreimal/viermal/fünfmal/sechsmal/zehnmal ~ angerufen/geschrieben/gemailt/nachgefragt/gemeldet/reklamiert/erklärt
rückruf/antwort ~ versprochen/zugesagt ... nie/nicht/null/kein/keiner
dritte/vierte/fünfte/sechste/siebte/zehnte/x_te ~ mail/email/nachricht/anfrage/anruf/versuch/brief/ticket/schreiben
jedes_mal/jedesmal/immer ~ wieder ~ von_vorne/von_vorn/alles_neu
verschiedene*/unterschiedliche* ~ mitarbeiter*/leute*/abteilung*/kolleg* ~ erklärt/erzählt/geschildert/gesprochen
im ~ mai/juni/juli/august/märz/april/september/oktober ... im ~ mai/juni/juli/august/september/oktober/november ~ ?nachgefragt/\
geschrieben/angerufen/erinnert
zum ~ zigsten/wievielten/hundertsten ~ mal
""",
}

UNLESS: dict[Urgency, str] = {
    "safety": """
grill/ofen/kamin ~ glüht/glühte
""",
    "money_taken": """
sofort/schnell/umgehend ~ zurück
""",
}
