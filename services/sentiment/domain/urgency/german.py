"""German."""

from shared.events import Urgency

NEGATIONS = "nicht nie niemals kein keine keinen keiner keinem ohne niemand statt"
LAWYER = (
    "anwalt/anwalts/anwaelte/anwälte/anwältin/anwaeltin/rechtsanwalt*/rechtsanwält*/rechtsanwaelt*/rechtsbeistand/rechtsschutz*"
)
CONTRACT = (
    "vertrag/verträge/abo/abonnement/konto/account/mitgliedschaft/tarif/handyvertrag/versicherung/kundenkonto/lizenz/abos/zugang"
)
BROKEN = "down/ausgefallen/offline/tot/lahmgelegt/weg"
THING = (
    "dienst/server/website/webseite/seite/internet/system/app/netz/anlage/leitung/telefon/verbindung/portal/plattform/"
    "service/shop/strom/"
    "anschluss/hotline/heizung/homepage"
)
TWICE = "zweimal/doppelt/dreimal/mehrfach/mehrmals/zwei_mal/2x/2_mal"
CHARGED = "abgebucht/belastet/eingezogen/berechnet/abgezogen/kassiert/abgehoben/verrechnet"
NTH = "zweite*/zweiten/dritte*/vierte*/fünfte*/fuenfte*/sechste*/siebte*/zehnte*/x_te/hundertste*"
COUNT = (
    "zwei/drei/vier/fünf/fuenf/sechs/sieben/acht/zehn/mehrere/mehrerer/mehreren/zahlreiche*/viele/unzählige*/etliche*/2/3/4/5/6"
)
TIMES = (
    "zweimal/dreimal/viermal/fünfmal/fuenfmal/sechsmal/zehnmal/mehrmals/mehrfach/wiederholt/hundertmal/tausendmal/unzählige_male"
)
LETTERS = (
    "mail/mails/email/emails/e_mail/e_mails/anfrage*/nachricht*/anruf/anrufe/anrufen/anrufs/ticket/tickets/schreiben/"
    "brief/briefe/briefen/"
    "reklamation*/beschwerde*/erinnerung*"
)
TELL = (
    "schreib*/angerufen/geschrieben/angeschrieben/gemailt/nachgefragt/gemeldet/kontaktiert/reklamiert/gebeten/anrufe/"
    "anrufen/melde/frage/erklär*"
)
TELL += "/gefragt/beschwert/angefragt/bitte/urgiert/nachgehakt"

URGENT: dict[Urgency, str] = {
    "legal_threat": f"""
mein/meine/meinen/meinem/meiner/unser/unsere/unseren/unserem/unserer/einen/einem/ein/zum ~ {LAWYER}
{LAWYER} ~ einschalten/eingeschaltet/nehmen/beauftrag*/übergeben
verklage/verklagen/verklagt/klage/klagen ~ sie/euch/werde/wir/ich/einreichen/erheben
werde/werden/würde/ich ... verklagen/klagen
rechtliche/juristische/gerichtliche schritte/maßnahmen/konsequenzen/folgen
rechtsweg
anzeige ~ erstatt*/gegen/bei
zeige/zeigen sie/euch ... an
strafanzeige
verbraucherzentrale/verbraucherschutz/bundesnetzagentur/schlichtungsstelle/datenschutzbehörde/ombudsmann/bafin
vor ?das gericht
mahnbescheid/gerichtlich/unterlassungsklage
polizei ~ gehen/einschalten/melden/eingeschaltet/verständ*
anwaltlich*/anwaltskanzlei/kanzlei ~ hören/schreiben/vertreten/prüfen/post
vor/zum/zu ~ gericht/richter/gerichten
gericht ziehen/gehen/klären
juristisch/rechtlich/gerichtlich ~ vorgehen/gegen/klären/prüfen
schadensersatz/schadenersatz/klageweg/abmahnung
polizei/behörde/behörden/aufsichtsbehörde ~ einschalten/melden/informier*/gemeldet
""",
    "safety": """
feuer ~ gefangen/fing
fing/fängt ~ feuer
in_brand/in_flammen/gebrannt/angefangen_zu_brennen/abgebrannt
brennt/brannte ?es
rauch ~ aus/kam/gekommen/steigt/stieg
aus ... kam/kommt/stieg/steigt/qualmt ~ rauch/qualm
qualmt/qualmte/geraucht/raucht/rauchte ?aus
stromschlag/stromstoß/elektroschock
allergisch* reaktion*/schock/reagiert
allergieschock/anaphylak*
verbrannt/verbrüht/verbrannte ~ hand/finger/arm/bein/gesicht/haut/mich/mir
mich/mir/sich ... verbrannt/verbrüht/verbrannte
explodiert/explodierte/explosion
mich/sich/uns ... verletzt
verletzt/verletzte mich/sich/uns
verletzung*
ins/im/in_die krankenhaus/notaufnahme/klinik ?gebracht
notarzt/krankenwagen/rettungswagen/notaufnahme
lebensmittelvergiftung/vergiftet/vergiftung
umbringen/suizid*/selbstmord/selbstmordgedanken/das_leben_nehmen
bremse/bremsen ~ versagt/versagten/ausgefallen/defekt
mich/mir/uns ~ bedroht/geschlagen/angegriffen
bedrohte/schlug mich/uns
gasgeruch/nach_gas/verbrannt_riecht/riecht_verbrannt/es_riecht_verschmort
ausschlag ~ bekommen/gekriegt/im/am
atemnot/keine_luft
funken/kurzschluss
lebensgefährlich/lebensgefahr/brandgefahr/verletzungsgefahr/gesundheitsgefährdend/gefährlich
erstickt/erstickungsgefahr
glassplitter/glasscherbe*/metallsplitter
geschmolzen/verschmort/durchgeschmort
geschnitten ~ finger/hand
wurde/wurden/worden/bin/ist ... verletzt
rauchentwicklung/brandblasen/verbrennung*/gebrannt
rauch/qualm ~ aus/kam/stieg/im
gestürzt/eingequetscht/gequetscht/gebrochen/zerschnitten/angefallen/bewusstlos/ohnmächtig
arzt ~ gehen/musste/sagt/aufsuchen
erbrochen/übergeben_müssen/durchfall/salmonellen/schwindelig
geschlagen/bedroht/belästigt/gedroht ~ ?mich/uns/./,/worden/mir
nicht ~ mehr leben
stinkt/riecht/roch ~ verbrannt/gas/verschmort
""",
    "cancellation": f"""
{CONTRACT} ... kündig*/kuendig*/kündbar/gekündigt/gekuendigt/beenden/auflösen/schließen/löschen/stornieren/aufkündigen
kündig*/kuendig* ~ mein/meine/meinen/unser/unseren/den/das/hiermit/zum/sofort/fristgerecht/fristlos/ich
hiermit ... kündig*/kuendig*
ich/wir ?habe/haben/hab ... gekündigt/gekuendigt
ich/wir ?werde/werden/möchte/möchten/will/wollen ... kündigen/kuendigen/wechseln_zu
ich/wir kündige/kündigen/kuendige
lösch*/lösche/löschen/schließen ~ mein/meinen/unser ~ {CONTRACT}
wechsel*/wechsle ... anbieter/konkurrenz/bank/versicherung/provider/wettbewerb*
anbieter wechseln/wechsel/gewechselt
zur/bei ~ konkurrenz
konkurrenz ~ besser/gehe/wechsle
nicht/nie ~ verläng*/verlängern/verlaengern
kunden/kundin/kunde/kundschaft ~ verloren/weniger
bin/sind ~ weg ,/./die
kündigung
kein/keine ~ kunde/kundin/mitglied ~ sein/bleiben
aus ~ vertrag ?raus/heraus/aussteigen
raus/aussteigen/ausstieg ~ aus/vertrag
letzte/letzten ~ bestellung/rechnung ~ bei
suche/suchen ~ ?einen neuen/anderen/andere ~ anbieter/lieferanten/bank
gehe/gehen/wechsle/wechseln ~ zu/zur ~ telekom/vodafone/o2/konkurrenz/anderen/anderem/wettbewerber
{CONTRACT} ~ auflösen/stilllegen/deaktivieren/widerrufen/beendet/löschen
widerrufe/widerruf/sonderkündigung*
""",
    "outage": f"""
geht/funktioniert/läuft/lädt/ging/laeuft ~ ?gar nichts ?mehr
nichts geht/funktioniert/läuft ?mehr
{THING} ?ist/sind/war/liegt/wieder ?seit/schon/wieder/komplett ?wieder ?komplett {BROKEN}
seit ... ausgefallen
totalausfall/ausfall/stromausfall/netzausfall/serverausfall/internetausfall/störung/großstörung/systemausfall
nicht/nichts/kaum/nimmer ?mehr arbeiten
arbeiten ~ nicht/unmöglich
kein/keinen/keine/ohne ~ internet/strom/netz/empfang/telefon/verbindung/wasser/warmwasser/heizung/anschluss/signal/festnetz
keiner/niemand ... anmelden/einloggen/zugreifen/arbeiten/rein/verbinden
nicht erreichbar/verfügbar
stillstand/steht_still/stehen_still/lahmgelegt
{THING} ... nicht erreichbar/verfügbar
{THING} ~ funktioniert/geht/läuft/gehen ~ nicht/nirgends
alles/komplett ~ tot/down/offline/schwarz/dunkel
nichts ~ geht/läuft/lädt
{THING} ~ abgestürzt/zusammengebrochen/gestört/unterbrochen/gesperrt
kann/können/konnte ~ niemand/keiner/nicht ~ einloggen/anmelden/verkaufen/zugreifen/kassieren/bestellen
lahm/legt_lahm/liegt_lahm
kunden ~ können/kommen ~ nicht
abgeschnitten
""",
    "money_taken": f"""
{TWICE} ... {CHARGED}
{CHARGED} ... {TWICE}
geld ... {CHARGED}
von_meinem/vom/meinem ~ konto/karte ~ {CHARGED}
doppelabbuchung*/doppelbuchung*/doppelzahlung/doppelbelastung/fehlbuchung/falschbuchung
unberechtig*/unautorisiert*/unbekannte*/nicht_autorisiert*/ungenehmigt*/unerlaubt* ~ abbuchung*/buchung*/belastung*/\
zahlung*/lastschrift*
ohne ~ zustimmung/einwilligung/erlaubnis/genehmigung/wissen ~ {CHARGED}
{CHARGED} ... ohne/obwohl
wart*/warte/nicht/noch/immer ... rückerstattung/erstattung/gutschrift/rückzahlung/rueckerstattung
wart*/warte/nicht/noch/immer ... geld ~ zurück
geld ... nicht ~ zurück/bekommen/erhalten
erstattung/rückerstattung/rückzahlung ... nicht/verweigert/abgelehnt/immer_noch
weiger*/verweiger* ... geld/erstatt*/rückerstattung/zahlen/auszuzahlen
mein/unser geld ?sofort zurück/zurueck/wieder
betrug/betrogen/betrüger/abgezockt/betrugsfall/kreditkartenbetrug
wurde/mir/konto/karte/daten ~ gehackt/gestohlen/geklaut
jemand ~ mit ~ meinem/meiner/meinen ~ konto/karte/daten
zu_viel/zuviel ~ {CHARGED}
{CHARGED} ... nie/nicht/keine/gekündigt/storniert
abgebucht ~ ?aber/./,/trotz
trotz ~ kündigung/stornierung/rückgabe ... {CHARGED}
zwei/drei/doppelte ~ abbuchungen/buchungen/lastschriften/belastungen
diebstahl/diebe/gestohlen/betrüger/gauner/abzocker/bestohlen/fremde
gebt/geben/gib/zahlen/zahlt ... geld ~ zurück
wo/wann ~ bleibt/ist/kommt/bekomme ~ geld/erstattung/rückerstattung/gutschrift
bezahlt ... nichts/nie ~ bekommen/erhalten/geliefert
""",
    "repeated_contact": f"""
zum {NTH} mal ~ {TELL}
{TELL} ... zum {NTH} mal
zum wiederholten/x_ten/hundertsten/tausendsten mal/male
{NTH} ~ {LETTERS}
{TIMES}/{COUNT}_mal ... {TELL}
{TELL} ... {TIMES}
{COUNT} ~ {LETTERS} ... keine/niemand/ohne/nichts/nicht/ignoriert/unbeantwortet
trotz/nach {COUNT}/mehrmalig*/mehrfach*/wiederholt* ~ {LETTERS}/nachfrage/nachfragen
auf ~ mail/mails/email/emails/anfragen/nachrichten/e_mails ~ ?hat ~ niemand/keiner/nicht/keine
niemand/keiner ~ reagier*/antwort*/meldet/ruft/geantwortet/zurückgerufen/gemeldet
immer_noch/noch_immer/bis_heute/weiterhin/noch/wieder ~ keine/keinerlei ~ antwort/rückmeldung/reaktion/rückruf
keine/keinerlei ~ antwort/rückmeldung/reaktion ~ auf/trotz/seit/nach/erhalten/bekommen
unbeantwortet
immer_wieder/ständig ~ {TELL}
mehrmals/mehrfach/wiederholt ~ {TELL}
jedes_mal ... anrufe
seit wochen/monaten/tagen ~ {TELL}/warte/ich/wir
warte/warten ... auf ~ antwort/rückmeldung/rückruf/reaktion
bekomme/bekommen/kriege/erhalte/kommt ~ keine ~ antwort/rückmeldung
wie_oft/wie_viele ~ muss/soll/noch/mails
niemand/keiner ~ hilft/kümmert/zuständig/erreichbar/hebt/geht
hört/höre/meldet ~ niemand/nichts
ignoriert ~ ?mich/meine/werde/werden/./,
leid/satt ... {TELL}/anzurufen/schreiben/nachzufragen/erklären
von ~ zu ~ weitergeleitet/verwiesen/geschickt/verbunden
warteschleife
schon/bereits/erneut/nochmal ~ {TIMES}/{COUNT}_mal
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
anwaltskanzlei/anwaltssoftware
zum glück
""",
    "safety": """
spieler/spiel/film/buch/spielzeug
geschmack/geschmacks*
nicht verletzt/gefährlich
""",
    "cancellation": """
jederzeit/kündigungsfrist
storn* ~ bestellung/termin/flug
man ~ kündigen
""",
    "outage": """
besser
nie/niemals/keinen/keine/ohne ~ ausfall/ausfälle/störung/störungen
""",
    "money_taken": """
geld kam/ist/war/wurde ~ zurück/wieder
sofort/schnell/umgehend/anstandslos ~ erstattet/zurück
erstattet/zurückerstattet/zurückgebucht ~ danke/sofort
wie lange
schnelle/zügige erstattung/rückerstattung
""",
    "repeated_contact": """
bestellt/gekauft/besucht
sofort ~ hilfe/antwort
""",
}
