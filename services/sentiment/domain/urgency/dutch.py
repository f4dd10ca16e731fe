"""Dutch."""

from shared.events import Urgency

NEGATIONS = "niet nooit geen zonder niemand"
LAWYER = "advocaat/advocaten/jurist/juristen/rechtsbijstand/rechtsbijstandsverzekering"
CONTRACT = (
    "abonnement/abonnementen/contract/contracten/account/lidmaatschap/rekening/polis/verzekering/dienst/licentie/overeenkomst"
)
THING = (
    "dienst/website/site/systeem/internet/server/servers/app/netwerk/platform/lijn/verbinding/portaal/webshop/stroom/"
    "telefoon/televisie/wifi"
)
TWICE = "twee_keer/dubbel/tweemaal/drie_keer/2_keer/meerdere_keren/2x/driemaal"
CHARGED = "afgeschreven/afgehaald/geïncasseerd/in_rekening/berekend/gefactureerd/betaald/gehaald/afgerekend/betalen"
NTH = "tweede/derde/vierde/vijfde/zesde/zevende/tiende/zoveelste/2e/3e/4e/5e/honderdste"
COUNT = "twee/drie/vier/vijf/zes/zeven/acht/tien/meerdere/verschillende/talloze/diverse/veel/vele/2/3/4/5/6"
LETTERS = (
    "mail/mails/mailtje/mailtjes/email/emails/e_mail/e_mails/bericht/berichten/telefoontje/telefoontjes/ticket/tickets/"
    "klacht/klachten/"
    "verzoek/verzoeken/brief/brieven/poging/pogingen/melding/meldingen/belletje"
)
TELL = (
    "schrijf/schrijven/geschreven/gebeld/bel/bellen/gemaild/mail/mailen/contact*/vraag/gevraagd/gemeld/meld/opgenomen/"
    "verzoek/verzocht/"
    "aangeschreven/geklaagd/reageer/uitgelegd/aangegeven"
)

URGENT: dict[Urgency, str] = {
    "legal_threat": f"""
mijn/onze/een/mijn_eigen {LAWYER}
{LAWYER} ~ inschakel*/ingeschakeld/neemt/in
naar_de/voor_de/bij_de rechter/rechtbank
rechtbank/rechtszaal/rechtszaak/kantonrechter
juridische/gerechtelijke/rechtelijke stappen/actie/procedure/maatregelen
doe/doen/deed/heb ~ aangifte
aangifte ~ gedaan/tegen/bij/doen
naar_de politie
daag ~ voor
aanklagen/aangeklaagd/klaag_jullie_aan
consumentenbond/de_acm/autoriteit_consument/geschillencommissie/ombudsman/autoriteit_persoonsgegevens ?over
ingebrekestelling/stel ~ in_gebreke
deurwaarder/incassobureau
rechter/rechtbank ~ ./,/als/voor/komen/gaan
schadevergoeding/juridisch/aanklacht/dagvaarding/politie ~ ./,/gaan/inschakelen/over/via/als/eisen/advies
autoriteit/autoriteiten/toezichthouder ~ melden/gemeld/inschakelen
""",
    "safety": """
in_brand/vlam_gevat/in_vlammen/in_de_fik
brandde/brand ~ ontstaan/uitgebroken/af
rook ~ uit/kwam/komt
kwam/komt/kwamen ~ rook
elektrisch*/stroom schok/schokken
schok gekregen/gehad
geëlektrocuteerd
allergisch* reactie*/gereageerd/shock
verbrand/verbrandde/brandwond* ~ hand/vinger/vingers/arm/gezicht/been/mond/aan
mijn/zijn/haar ~ hand/vinger/vingers/arm/gezicht/been/mond/huid verbrand
brandwond*
ontplof*/ontploft/explod*/geëxplodeerd/explosie
gewond/verwond*/letsel/bezeerd
ziekenhuis/spoedeisende_hulp/eerste_hulp/spoed
de_ambulance/een_ambulance/brandweer
voedselvergiftiging/vergiftig*/vergiftigd
zelfmoord/zelfdoding/suïcid*/mezelf_iets_aandoen/een_eind_aan_mijn_leven
remmen ~ werk*/weiger*/deden/faal*
bedreig*/bedreigd/aangevallen/geslagen
gaslucht/gaslek/brandlucht/ruikt_naar_gas/koolmonoxide
uitslag/galbulten/benauwd
gestikt/stikte/verstikking*
vonken/kortsluiting
gevaarlijk/levensgevaarlijk/brandgevaar
glas/metaal/plastic ~ in ~ eten/yoghurt/brood/soep
gesneden ~ vinger/hand
gesmolten ~ kabel/stekker
kabel/stekker/oplader/accu ~ gesmolten
vatte/vatten/vlam_vatte vlam
vlammen/vlam/rookontwikkeling
overgegeven/braken/gebraakt/diarree/flauwgevallen/misselijk/ziek ~ ?van/na/geworden/./,
gebroken/gekneusd/gesneden ~ ?arm/been/pols/tand/hand/vinger/mijn
mijn/zijn/haar ~ arm/been/pols/tand/hand/vinger ~ gebroken/gesneden
opgezwollen/gezwollen/zwol
niet ~ ademen
niet ~ meer leven
viel/gevallen ... brak/los/ingestort
lastiggevallen/geslagen/sloeg
""",
    "cancellation": f"""
{CONTRACT} ... opzeggen/opgezegd/op_te_zeggen/beëindigen/stopzetten/stoppen/verwijderen/sluiten/annuleren/beëindigd/op ./,
zeg/zeggen ~ {CONTRACT} op/per
ik/wij/we ?wil/ga/willen/gaan/heb/hebben/moet ~ opzeggen/opgezegd/op_te_zeggen
verwijder/sluit/beëindig/stop/annuleer ~ mijn/ons ~ {CONTRACT}
stap/stappen/overstappen/overgestapt/overstap ~ ?naar ~ andere/ander/concurrent/aanbieder/concurrentie/provider/bank
overstappen/overgestapt/stap_over/stappen_over
naar_de/naar_een/bij_de concurrent/concurrentie/andere_aanbieder/andere_bank
niet ~ verleng*
klant ~ kwijt/minder/verloren
verloor/verliezen/verliest ~ klant*
opzegging
geen ~ klant ~ ?meer zijn/blijven
niet ~ langer/meer klant
weg ~ bij jullie
zoek/zoeken/op_zoek ~ ?naar andere/ander/nieuwe/een_andere ~ aanbieder/bank/leverancier/provider
ga/gaan/stap/stappen ~ naar/over ~ ?naar kpn/ziggo/odido/vodafone/andere/concurrent
beëindig*/ontbind*/deactiveer*/deactiveren ~ ?mijn/ons/het/de {CONTRACT}
""",
    "outage": f"""
{THING} ?is/zijn/ligt/liggen/was/lag ?al/weer/helemaal/nog/er ?weer/steeds/sinds/helemaal eruit/uit/down/plat/offline/\
onbereikbaar/dood/uitgevallen
{THING} ~ niet ~ bereikbaar/beschikbaar/toegankelijk
niet bereikbaar
een/weer/de/grote/al/landelijke/nog_steeds/hele storing
stroomstoring/stroomuitval/uitval/netwerkstoring
ligt/liggen/alles ~ plat/eruit/stil
uitgevallen
niet ?meer ?kunnen werken
kunnen/kan ~ niet/niets ~ ?meer werken/verkopen/doen
geen/zonder ~ internet/stroom/verbinding/bereik/telefoon/wifi/netwerk/warm_water/verwarming/signaal/televisie
niemand ... inloggen/werken/toegang/verbinden/erin
niets/niks ~ werkt/doet_het/meer/laadt
werkt/doet ~ niets/niks ?meer
{THING} werkt/werken/doet/laadt/reageert ~ niet
stilstand
foutmelding/error/fout 500/502/503
alles/niets ~ dood/plat/down/offline/uit
{THING} ~ gecrasht/vastgelopen/uitgevallen/onbereikbaar
klanten ~ kunnen ~ niet
afgesloten van
""",
    "money_taken": f"""
{TWICE} ... {CHARGED}
{CHARGED} ... {TWICE}
dubbele afschrijving/betaling/incasso/factuur
onbekende/ongeautoriseerde/onterechte/frauduleuze/onrechtmatige/ongeoorloofde ~ afschrijving*/betaling*/transactie*/incasso/\
overboeking
zonder ~ toestemming/goedkeuring/machtiging/akkoord ... afgeschreven/gehaald/afgehaald/geïncasseerd/geld/geboekt
afgeschreven/gehaald/geïncasseerd/afgehaald/afgeboekt ~ zonder ~ toestemming/machtiging
geld ... van ~ mijn rekening
wacht*/wacht/niet/nog/nooit/geen ... terugbetaling/mijn_geld/teruggave/restitutie/terugbetaald/terugstorting
weiger*/geweigerd ... geld/terug/terugbetal*/restitutie
mijn/ons geld ?nu/gewoon terug
waar ~ mijn geld/terugbetaling
fraude/frauduleus/opgelicht/oplichting/bedrogen
gehackt/gestolen
iemand ~ met ~ mijn ~ account/kaart/gegevens/rekening
te_veel/teveel ~ afgeschreven/berekend/in_rekening
geld ~ nog_steeds/nog/nooit/steeds ~ niet ?terug/ontvangen/gekregen
niet ... geld terug
dieven/dief/diefstal/oplichters/bestolen
{CHARGED} ... nooit/niet/opgezegd/geannuleerd
twee/drie/dubbele afschrijvingen/incasso's/betalingen
waar/wanneer ... mijn_geld/terugbetaling/geld_terug
betaald ... niets/nooit/niet ~ ontvangen/gekregen/geleverd
""",
    "repeated_contact": f"""
{NTH} keer ... {TELL}
voor_de {NTH} keer ~ {TELL}/,/dat
{NTH} {LETTERS}
{COUNT} keer/keren/malen ... {TELL}
{TELL} ... {COUNT} keer/keren/malen
herhaaldelijk/meermaals/meermalen/steeds_weer/telkens/steeds_opnieuw ~ {TELL}
{COUNT} ~ {LETTERS} ... geen/niemand/zonder/niets/niet/onbeantwoord
na/ondanks ~ {COUNT}/herhaald* ~ {LETTERS}
nog_steeds/nog/weer/alweer/maar ~ geen/niks/niets ~ antwoord/reactie/gehoord/bericht/terugkoppeling
geen/zonder ~ antwoord/reactie ~ op/na/ondanks/sinds/gekregen/gehad/./ontvangen
niemand ~ reageert/antwoord*/belt/gereageerd
reageren/reageert/antwoorden ~ niet ~ op ~ mijn {LETTERS}
onbeantwoord
elke_keer ... bel
wacht/wachten ... op ~ antwoord/reactie/bericht/terugbelverzoek
zat/moe/beu ... {TELL}/bellen/mailen/herhalen/wachten
hoe_vaak/hoeveel ~ moet/keer/mails
genegeerd/negeert/negeren ~ ?mij/mijn/me/./,
niemand ~ helpt/neemt/luistert/lost/belt
al ~ weken/maanden/dagen ~ {TELL}/wacht
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
gelukkig
""",
    "safety": """
speler/spelers/wedstrijd/film/spel/boek
smaak
""",
    "cancellation": """
annuleer/annuleren ~ bestelling/afspraak/vlucht
op_elk_moment/altijd_opzegbaar
""",
    "outage": """
nooit/geen ~ storing/storingen
beter
""",
    "money_taken": """
snel ~ geld ~ teruggekregen/terug
teruggekregen
hoe lang
""",
    "repeated_contact": """
besteld/gekocht/bestel
direct/meteen ~ hulp/antwoord/geholpen
""",
}
