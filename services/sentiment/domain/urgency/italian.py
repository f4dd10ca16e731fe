"""Italian."""

from shared.events import Urgency

NEGATIONS = "non mai senza nessun nessuna nessuno né"
CONTRACT = (
    "contratto/contratti/abbonamento/abbonamenti/account/conto/utenza/piano/linea/polizza/assicurazione/iscrizione/"
    "servizio/tessera/"
    "licenza/sim/profilo"
)
THING = (
    "servizio/sistema/sito/pagina/server/internet/app/applicazione/piattaforma/rete/linea/portale/segnale/connessione/"
    "servizi/corrente"
)
TWICE = "due_volte/tre_volte/2_volte/3_volte/più_volte/in_doppio/doppiamente"
CHARGED = "addebitat*/addebitate/addebito/prelevat*/pagato/fatturat*/scalat*/incassat*/pagare"
NTH = "seconda/terza/quarta/quinta/sesta/settima/decima/ennesima/secondo/terzo/quarto/quinto/sesto/ennesimo/3a/4a/centesima"
COUNT = (
    "due/tre/quattro/cinque/sei/sette/otto/dieci/diverse/diversi/molte/molti/numerose/numerosi/innumerevoli/parecchie/"
    "varie/vari/più/2/3/4/5/tante"
)
LETTERS = (
    "mail/email/e_mail/messaggio/messaggi/chiamata/chiamate/telefonata/telefonate/segnalazione/segnalazioni/ticket/"
    "reclamo/reclami/"
    "richiesta/richieste/sollecito/solleciti/tentativo/tentativi/pec/raccomandata/raccomandate"
)
TELL = (
    "scrivo/scritto/scriviamo/scrivere/chiam*/contatt*/telefon*/segnal*/richied*/richiesto/chiedo/chiesto/sollecit*/"
    "inviato/mandato/"
    "spieg*/lamento/provo/reclam*"
)

URGENT: dict[Urgency, str] = {
    "legal_threat": """
faccio/farò/facciamo/faremo/fare/farvi/fatto causa
causa ~ legale/civile/contro/in_tribunale
mio/nostro/un/miei/nostri/mia avvocato/legale/avvocati/legali/avvocata
avvocat* ~ vi/contatt*/scriver*
in tribunale/giudizio
vie/azioni/azione/via/misure/procedimento legali/legale/giudiziarie
legalmente
denuncia ~ ai/alla/ai_carabinieri/contro/polizia
sporg*/sporgere/presento/presenterò/farò/fare ~ ?una denuncia/querela/esposto
denuncio/denuncerò/denunciamo/denunciarvi/denuncierò/querelo/querela
segnal*/segnalerò/rivolg*/rivolgerò/esposto/contatt* ... antitrust/agcom/agcm/altroconsumo/codacons/consumatori/garante/\
polizia/carabinieri
diffida/messa_in_mora/giudice_di_pace
giudice/tribunale/querela ~ ./,/se/contro/di_pace/per
rivolg*/rivolgerò/rivolgermi/rivolgiamo ~ giudice/avvocato/legale/autorità/consumatori
risarcimento ~ danni/legale/giudice
studio legale
""",
    "safety": """
preso/prende/prendere/andato_a/dato fuoco
in/a fiamme/fuoco
incendi*
fumo ~ esce/usciva/dal/uscito/nero
esce/usciva/uscito/uscire/faceva ~ fumo
scossa ?elettrica
folgorat*
reazione/reazioni/shock allergic*/anafilattico
bruciat*/ustion* ~ mano/mani/dito/dita/braccio/faccia/viso/pelle/gamba
ustion*/ustionato
esplos*/esploso/scoppiat*
ferito/ferita/feriti/infortun*/lesioni
pronto_soccorso/all_ospedale/in_ospedale
ambulanza/pompieri/vigili_del_fuoco
intossic*/avvelen*
suicid*/ammazzarmi/uccidermi/togliermi_la_vita/farla_finita/farmi_del_male
freni ~ rott*/non/ceduto
minacci*/aggredi*/picchiat*
odore/puzza ~ gas/bruciato
fuga di_gas
monossido
orticaria/eruzione/sfogo ~ cutane*
soffoc*/strozz*
scintille/corto_circuito/cortocircuito
pericolos*/pericolo
vetro/vetri/metallo/plastica ~ nel/nella/dentro ~ cibo/yogurt/minestra/pane
andato_a_fuoco/bruciature
vomit*/diarrea/svenuto/svenuta/salmonella/intossicazione
rotto/rotta/fratturat*/tagliat* ~ braccio/gamba/mano/polso/dente/dito/piede
gonfi*/gonfiato/gonfiata ~ ?viso/labbra/gola/batteria/./,
non ~ respirare
non voglio ~ vivere
caduto/caduta ... rott*/cedut*
molest*/aggressione/botte
""",
    "cancellation": f"""
disdire/disdico/disdetta/recedere/recesso/rescindere ?dal ~ contratto/abbonamento/servizio/tutto/linea/polizza
disdetta
voglio/vorrei/come_faccio_a/intendo/deciso_di/devo ~ disdire/recedere
disdico
cancell*/annull*/chiud*/elimin*/cess*/chiudere ~ mio/nostro/il/la/mia/questo/vostro ~ {CONTRACT}
cambiare/cambio/cambierò/cambiamo/cambiato ~ operatore/banca/fornitore/gestore/compagnia/assicurazione
pass*/passo/passare/passerò/vado/andrò/andiamo ~ ?a ~ concorrenza/altro_operatore/altra_compagnia/altra_banca/altro_gestore/\
concorrente
non ~ rinnov*
perso/perdete/perderete/perdere ~ client*
portabilità
non ~ voglio/desidero ~ ?essere ?più client*/servizio
lascio/lasciamo/lasciare/abbandono ~ ?la vostra/questa/vi ~ azienda/banca/compagnia/servizio
cerc*/cercando ~ altro/altra/nuovo/nuova/un_altro ~ operatore/banca/fornitore/gestore
passo/vado/passiamo ~ a/con ~ tim/vodafone/wind/iliad/fastweb/altro/altra
disattiv*/termin*/chiusura/interromp*/annullamento ~ mio/nostro/il/del/mia ~ {CONTRACT}
""",
    "outage": f"""
{THING} ~ fuori_uso/fuori_servizio/giù/down/irraggiungibile/offline/bloccat*/mort*/non_disponibile/indisponibile
fuori uso/servizio
non ~ raggiungibil*/accessibil*
non ~ possiamo/posso/riesco/riusciamo/può ~ ?a lavorare/vendere/fatturare/operare
impossibile lavorare
sono/siamo/senza/manca/non_c_è/niente/nessuna ~ senza/più/la ~ internet/linea/corrente/segnale/connessione/acqua_calda/rete/\
luce/telefono
senza internet/linea/corrente/segnale/connessione/rete/luce/telefono/acqua
nessuno ~ riesce/può/accede/riescono ~ ?ad accedere/entrare/lavorare/collegarsi/connettersi
un_blackout/blackout_totale/guasto_generale/interruzione/disservizio_totale
non ~ funziona/va ~ niente/nulla
niente/nulla funziona
siamo/sono/tutto/tutti/azienda/ufficio/produzione ~ bloccat*/ferm*/paralizzat*
{THING} non ~ funziona/funzionano/risponde/carica/va
errore 500/502/503
{THING} ~ non ~ funziona/apre/carica/risponde/va
{THING} ~ caduto/caduta/crashat*/crollat*
tutto ~ morto/spento/fuori/giù
clienti ~ non ~ riescono/possono
""",
    "money_taken": f"""
{CHARGED} ... {TWICE}
{TWICE} ~ {CHARGED}
doppio/doppia/doppi addebito/pagamento/fattura/addebiti/prelievo
addebito/addebiti/pagamento/transazione/transazioni/prelievo/acquisto/operazione ~ non ~ autorizzat*/riconosc*/fatto/richiest*
addebito/addebiti/pagamento/transazione/transazioni/prelievo ~ sconosciut*/fraudolent*/sospett*/indebit*
{CHARGED}/soldi ... senza ~ permesso/autorizzazione/consenso/avvis*/mio
senza ~ permesso/autorizzazione/consenso ... {CHARGED}
non ~ riconosco ~ addebito/pagamento/transazione
aspett*/attend*/attesa/ancora/non/mai/nessun ... rimbors*/riaccredito/miei_soldi
rifiut*/negat*/negate/negano ... rimbors*/restitu*/soldi
rivoglio/ridatemi/voglio/restituitemi/rivogliamo ~ miei/nostri/i soldi ?indietro
dove ~ mio/miei rimborso/soldi
frode/fraudolent*/truffato/truffata/truffati/clonat*
mi/mia/mio/conto/carta/soldi ~ rubat*/hackerat*/svuotat*
qualcuno ~ usato/utilizzato/comprato/fatto ~ mia/mio/la_mia ~ carta/account/conto
prelevat*/prelevato/preso ~ soldi/denaro ?dal
ladri/ladro/furto/truffa/truffatori/rubato/rubati
{CHARGED} ... mai/non/disdett*/cancell*
due/tre/doppi addebiti/pagamenti/prelievi
dove/quando ... miei_soldi/rimborso
pagato ... mai/nulla/niente ~ ricevut*/arrivat*
sconosciuto/qualcuno ... mia_carta/mio_conto
""",
    "repeated_contact": f"""
{NTH} volta ... {TELL}
per_la/per {NTH} volta ~ {TELL}/,/che
per_l_ennesima/l_ennesima volta/segnalazione/mail/chiamata/richiesta
{NTH} {LETTERS}
{TELL} ... {COUNT} volte
{COUNT} volte ~ ?che ~ {TELL}
{TELL} ~ ripetutamente/di_continuo
{COUNT}/mie/miei ~ {LETTERS} ... senza/nessuno/nessuna/non/nulla/niente
dopo/nonostante ~ {COUNT}/mie/miei {LETTERS}
senza/nessuna/nessun/alcuna risposta/riscontro
nessuno ~ rispond*/risposto/richiam*
non ~ rispond*/risposto ~ alle/ai/mie/miei ~ {LETTERS}
non ~ ricevuto ~ risposta/risposte/riscontro
ogni_volta ... chiamo
settimane/mesi/giorni che ~ {TELL}
aspett*/attend*/attesa ... risposta/riscontro/chiamata
stanco/stanca/stufo/stufa ~ di ~ {TELL}/chiamare/ripetere/aspettare/scrivere
quante ~ volte/mail/email/chiamate
ignor* ~ ?mi/mie/miei/da/./,
nessuno ~ aiuta/fa/chiama/risolve/legge
da ~ settimane/mesi/giorni ~ {TELL}/aspetto/che
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
bisogno ~ avvocat*
""",
    "safety": """
giocatore/giocatori/partita/film/gioco
sapore
""",
    "cancellation": """
annull*/cancell* ~ ordine/prenotazione/volo/appuntamento
in_qualsiasi_momento/in_qualunque_momento
""",
    "outage": """
mai ~ guasto/guasti/giù
meglio
""",
    "money_taken": """
rimborso ~ veloce/arrivato/rapido
quanto tempo
""",
    "repeated_contact": """
compro/ordino/acquisto/comprato/ordinato
aiutato/aiutata
""",
}
