"""Italian."""

from services.sentiment.domain.urgency.italian import NEGATIONS as NEGATIONS
from shared.events import Urgency

MONEY = "soldi/rimborso/cauzione/deposito/accredito/acconto/risarcimento/importo/indennizzo"
PLACES = "ufficio/studio/negozio/negozi/squadra/azienda/clinica/quartiere/palazzo/via/albergo/magazzino/filiale/sede"
MACHINES = "cassa/casse/registratori/registratore/terminale/terminali/pos/stampante/stampanti"

URGENT: dict[Urgency, str] = {
    "legal_threat": """
consegnato/passato/affidato/girato/mandato ... all/al/alla/ai ~ avvocato/legale/avvocata/legali
rispondete/risponderete/parlate/parlerete ~ a ~ lui/lei/avvocato/giudice
ultimo/ultima ~ avviso/diffida ~ prima
diffida/messa_in_mora/giudice_di_pace/conciliazione/corecom/arera/garante_privacy
tutela legale
""",
    "safety": """
scivolat*/caduta/caduto/inciampat* ... rotta/rotto/frattura*/polso/anca/ospedale/pronto_soccorso
bruciat*/ustionat*/scottat* ~ ?la/il/le/un ~ mano/braccio/gamba/viso/dito/dita/pelle/piede/tavolo/tappeto/letto
usciva/esce/uscito/uscita/uscire ~ fumo/scintille/fiamme
preso/presa/prende ~ fuoco/scossa
gola/labbra/viso/lingua ~ gonfiat*/chiusa/gonfie/gonfia
spinto/spinta/strattonat*/afferrat*/colpit*/schiaffeggiat*/minacciat* ~ da/davanti/mia/mio/mi
quasi/per_poco ~ non ~ moriva/soffocava/muoio/cadevo/bruciava/investiva
corto_circuito/cortocircuito/folgorat*
""",
    "cancellation": """
passo/passiamo/passerò/passeremo/vado/andiamo ~ alla/da/a ~ concorrenza/concorrente/un_altro/un_altra/altro/altra
cambio/cambiamo/cambierò/cambieremo ~ operatore/banca/gestore/fornitore/assicurazione/compagnia
come/dove ~ faccio/posso/si ~ a/per ~ chiudere/disdire/recedere/andarmene/cancellarmi
chiudo/chiudete/chiudere/chiudiamo ~ il/la/ogni ~ conto/contratto/rapporto/abbonamento/account
porto/portiamo/porterò ~ con/via/altrove ~ me/noi/./,/tutto
recesso/portabilità
ultima ~ bolletta/fattura/rata ~ che
""",
    "outage": f"""
{MACHINES} ~ ferm*/fermi/ferme/morti/bloccat*/fuori_uso/non_vanno/non_funzionano
tutto/tutta/intero/intera/tutti/tutte ~ {PLACES} ~ fermo/ferma/senza/bloccat*/al_buio/isolat*
nessuno ~ in/nel/nello/nella/dei/degli ... {PLACES} ... riesce/può
non ~ possiamo/riusciamo/posso ~ vendere/lavorare/incassare/fatturare/aprire/servire ./,/da/più/ai/i/le
senza ~ luce/acqua/riscaldamento/internet/rete/telefono/acqua_calda/linea ~ da
blackout ~ da/totale/in
guasto_generale/disservizio_totale
tutti/tutte ~ e ~ quattro/tre/cinque/due/sei ~ negozi/sedi/filiali ~ ?ferm*/da/senza
""",
    "money_taken": f"""
{MONEY} ... mai/non/ancora_non ~ arrivat*/arriva/visto/visti/ricevut*/restituit*/accreditat*/tornat*
dove ~ è/sono/finito/finiti ~ il_mio/i_miei/il_nostro {MONEY}
aspetto/aspettiamo/attendo ~ ancora/da ... {MONEY}
prelievo/addebito/pagamento/acquisto/movimento ... non_ho/mai ~ mai/autorizzat*/fatto/riconosco/autorizzato
prelievo/addebito/pagamento ... non ~ riconosco/è_mio/autorizzat*/ho
continuate/continuano/continua ~ a ~ prelevare/addebitare/scalare/prendere/fatturare
disdett*/cancellat*/chius*/recesso ... continuate/addebit*/prelev*/ancora/fattur*
prelevat*/addebitat*/scalat* ... due_volte/di_nuovo/ancora/senza/nonostante/anche_il
dovete ~ ancora/restituir*/ridar*
""",
    "repeated_contact": """
terza/quarta/quinta/sesta/decima/ennesima ~ volta/mail/telefonata/richiesta/segnalazione ~ che/e/./,/senza
terzo/quarto/quinto/sesto/decimo/ennesimo ~ messaggio/sollecito/reclamo/tentativo
ogni_volta/sempre ~ devo/bisogna/tocca ~ ?spiegare/ricominciare/ripetere/raccontare
ripetere/ripeto/raccontare/spiegare ~ la_stessa/lo_stesso/le_stesse ~ ?storia/cosa/cose
promettono/promesso/dicono ... richiamare/richiamano/rispondere/richiamat* ... mai/nessuno/niente
a ~ aprile/maggio/giugno/luglio/marzo ... a ~ maggio/giugno/luglio/agosto/settembre
senza ~ risposta ~ ai/alle/a ~ miei/mie/nessuna/nessun
""",
}

UNLESS: dict[Urgency, str] = {}
