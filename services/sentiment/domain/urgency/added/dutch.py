"""Dutch."""

from services.sentiment.domain.urgency.dutch import NEGATIONS as NEGATIONS
from shared.events import Urgency

MONEY = "geld/terugbetaling/borg/waarborg/restitutie/vergoeding/bedrag/tegoed/creditering/aanbetaling"
PLACES = "kantoor/winkel/winkels/praktijk/team/bedrijf/zaak/afdeling/gebouw/straat/wijk/hotel/magazijn/filiaal/filialen"
MACHINES = "kassa/kassas/pinautomaat/pinautomaten/terminal/terminals/printer/printers/scanner/scanners"

URGENT: dict[Urgency, str] = {
    "legal_threat": """
ligt/ligt_de_zaak/komt/gaat ~ de_zaak/dit/het/deze_zaak ~ bij/voor ~ ?de ~ rechter/kantonrechter/rechtbank/advocaat/politie
zaak/dossier ~ bij/naar/voor ~ ?de/mijn/een ~ kantonrechter/rechter/advocaat/rechtsbijstand/geschillencommissie/politie
laatste ~ waarschuwing/aanmaning/kans ~ voor/voordat
huurcommissie/juridisch_loket/toezichthouder/autoriteit/ombudsman
overgedragen/doorgegeven/gestuurd ~ aan/naar ~ ?mijn/een/de ~ advocaat/jurist/rechtsbijstand/politie/autoriteit
""",
    "safety": """
begon/begint/begonnen ~ te ~ roken/branden/smeulen/vonken/smelten
gesmolten/verschroeid/verbrand ~ plastic/tapijt/tafel/vloer/hand/vingers/huid/bed/stopcontact
uitgegleden/gevallen/gestruikeld ... gebroken/pols/heup/ziekenhuis/gewond/spoedeisende
keel/gezicht/lippen/tong ~ zwol/gezwollen/opgezwollen/dicht
geduwd/vastgepakt/geslagen/bedreigd/geschopt/bespuugd ~ door/mijn/mij/me/voor
schok/stroomschok ~ gekregen/kreeg/van/bij
bijna ~ gestikt/verbrand/aangereden/gevallen/geëlektrocuteerd/dood
vonken/vlammen/rookwolk/kortsluiting
""",
    "cancellation": """
zeg/zeggen ~ ?hierbij/nu/hiermee ~ op ./,/en/per
zeg/zeggen ~ het/mijn/ons/de ~ ?abonnement/contract/lidmaatschap/polis/alles ~ op
hoe/waar ~ kan/kom/moet ~ ik/je/men/wij ~ ?van/dit/hier/het/mijn ~ opzeggen/beëindigen/af/stoppen/weg
stap/stappen/ga/gaan/stapte ~ over/weg ~ naar/bij ~ ?een/de/jullie ~ ander*/andere/concurrent/concurrentie
stap/stappen ~ over ./,/naar/op/per
zoek/zoeken ~ een/naar ~ andere/nieuwe/ander ~ aanbieder/bank/verzekeraar/leverancier/provider
laatste ~ rekening/factuur/bestelling/betaling ~ die/van
beëindig/beëindigen/stop/stopzetten ~ mijn/ons/het/de ~ abonnement/contract/lidmaatschap/account
""",
    "outage": f"""
hele/ganse/volledige/ons_hele ~ {PLACES} ~ plat/stil/zonder/offline/donker/ligt
{PLACES} ~ ligt/ligt_plat/liggen ~ plat/stil
{MACHINES} ~ doen/doet/werken/werkt/liggen/ligt/accepteren ~ ?het ~ niet/niets/plat/uit/eruit
niemand ~ op/in/van/bij ... {PLACES} ... kan
niemand ~ kan ~ inloggen/werken/betalen/bestellen/erin/openen/afrekenen
kunnen/kan ~ niet ~ verkopen/werken/afrekenen/factureren/leveren/open/verzenden/helpen
zonder ~ stroom/water/verwarming/internet/telefoon/warm_water/bereik ~ sinds
sinds ~ gisteren/vanochtend/vanmorgen/maandag/vrijdag ... geen ~ stroom/water/verwarming/internet/telefoon/bereik
""",
    "money_taken": f"""
{MONEY} ... nooit/niet/nog_niet/nog_steeds_niet/nog_altijd_niet ~ terug/teruggezien/gekregen/ontvangen/binnen/gezien/gestort/\
teruggestort/terugbetaald
waar ~ blijft/is ~ mijn/ons/de {MONEY}
wacht/wachten/wachtend ~ nog/al/steeds ... {MONEY}
twee_keer/dubbel/tweemaal ~ contributie/premie/bedrag/abonnement/factuur ~ ?is/afgeschreven/betaald/geïncasseerd
twee_keer ... afgeschreven/geïncasseerd/in_rekening
betaling/afschrijving/aankoop/incasso ... niet ~ van_mij/gedaan/herken/toegestaan/gemachtigd
opgezegd/geannuleerd/beëindigd ... schrijven/afgeschreven/incasseren/nog_steeds/blijven
blijven/blijft ~ ?maar ~ afschrijven/incasseren/geld_afschrijven/rekenen
schuldig/tegoed ~ ?nog/van ~ ?jullie/u
""",
    "repeated_contact": """
voor_de/de zoveelste/derde/vierde/vijfde/zesde/tiende/honderdste ~ keer/mail/brief/vraag/poging
derde/vierde/vijfde/zesde/tiende/zoveelste ~ mail/mailtje/bericht/brief/poging/telefoontje/verzoek
elke_keer/telkens/steeds/iedere_keer ~ opnieuw/weer/moet ~ ?ik/alles/mijn ~ uitleggen/vertellen/beginnen/verhaal
zelfde/hetzelfde verhaal ~ vertellen/verteld/uitleggen/gedaan
beloofd/beloven/belooft ... bellen/terugbellen/teruggebeld/antwoord ... nooit/niets/niemand/niet
in ~ april/mei/juni/juli/maart ... in ~ mei/juni/juli/augustus/september
gebeld/gemaild/geschreven/gevraagd ... gebeld/gemaild/geschreven/gevraagd ... gebeld/gemaild/geschreven/gevraagd
""",
}

UNLESS: dict[Urgency, str] = {}
