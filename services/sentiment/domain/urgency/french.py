"""French."""

from shared.events import Urgency

NEGATIONS = "pas jamais sans aucun aucune ne n plus rien personne ni"
CONTRACT = (
    "contrat/contrats/abonnement/abonnements/compte/forfait/ligne/assurance/adhésion/inscription/box/souscription/offre/licence"
)
THING = (
    "service/site/serveur/serveurs/réseau/système/application/appli/internet/plateforme/ligne/connexion/box/portail/page/services"
)
TWICE = "deux_fois/trois_fois/2_fois/3_fois/en_double/plusieurs_fois/double/doublon"
CHARGED = "débité*/prélevé*/facturé*/encaissé*/compté/retiré"
NTH = "deuxième/troisième/quatrième/cinquième/sixième/dixième/énième/nième/seconde/3e/3ème/4e/4ème/5e/5ème/2e/2ème/centième"
COUNT = "deux/trois/quatre/cinq/six/sept/huit/dix/plusieurs/nombreux/nombreuses/multiples/maints/innombrables/2/3/4/5/6/10"
LETTERS = (
    "mail/mails/email/emails/e_mail/e_mails/message/messages/appel/appels/courrier/courriers/relance/relances/demande/"
    "demandes/ticket/"
    "tickets/réclamation/réclamations/courriel/courriels/tentative/tentatives/lettre/lettres"
)
TELL = (
    "écri*/écris/écrit/écrire/appel*/appelle/contact*/relanc*/relance/demand*/réclam*/signal*/téléphon*/explique*/envoi*/"
    "envoie/envoyé"
)

URGENT: dict[Urgency, str] = {
    "legal_threat": """
porter/porte/porterai/portons/porté/dépos*/déposer/déposerai ~ plainte
mon/notre/un/nos/mes/mon_futur avocat/avocate/avocats/juriste/conseil_juridique
tribunal/tribunaux/prud_hommes
en justice
poursuit*/poursuites/poursuivre/poursuivrai ~ judiciaire*/en_justice/juridique*/contre/pénales
poursuites/action/actions/recours/procédure/suites/démarches judiciaire*/en_justice/juridique*/légale/légales/pénale
signal*/saisir/saisirai/saisis/saisissons/contact*/plainte/alert* ... dgccrf/répression_des_fraudes/cnil/médiateur/ufc/\
que_choisir/conciliateur/police/gendarmerie
dgccrf/ufc_que_choisir
mets/mettons/mettrai ~ en demeure
huissier
attaqu* ~ en justice
police/gendarmerie/commissariat ~ plainte
saisir/saisis/saisirai/saisirons ~ justice/juge/tribunal/autorités/procureur/médiateur
devant ~ juge/tribunal/justice/tribunaux
avocat/avocats ~ prendra/va/vous/contacter*
dommages_et_intérêts/mise_en_demeure/assignation
voie/par_voie ?de justice/judiciaire
""",
    "safety": """
pris/prend/prenait/prendre feu
en flammes/feu
mis/mettre le feu
fumée ~ sort/sortait/s_échapp*/sortie/est_sortie/noire
de_la fumée ~ sort/sortait/est/qui
sort/sortait ~ de_la fumée
s_est/a mis ~ fumer
décharge/choc/secousse électrique
électrocut*
réaction*/choc allergique*/anaphylactique
brûl* ~ main/mains/doigt/doigts/bras/visage/peau/jambe/au_second_degré
me_suis/s_est/nous_sommes ~ brûl*
explosé/explosée/exploser/explose/explosion
s_est/me_suis/été/est ~ bless*
blessure/blessures/blessé
aux urgences
hôpital/hospitalis*
l_ambulance/en_ambulance/pompiers/samu
intoxication_alimentaire/empoisonn*/intoxiqu*
suicid*/me_tuer/me_suicider/en_finir/mettre_fin_à_mes_jours/me_faire_du_mal
freins ~ lâché/plus/défaill*/cassé
menac* ~ mort/frapper/violence
m_a/nous_a/a menac*/agress*/frapp*
agress* ?par
odeur/sent ~ gaz/brûlé
fuite de_gaz/gaz
monoxyde
éruption/urticaire/boutons_partout/plaques_rouges
étouff*
étincelle*
dangereux/dangereuse
morceau*/morceaux/éclat/éclats/bout/bouts ~ verre/métal
court_circuit
coupé ~ doigt/main
enflamm*/s_enflamme/prenait_feu/en_feu/incendie/fumait/a_fumé/fumer
vomi/vomir/vomissements/malade ~ ?après/toute/./,/à_cause
cassé/fracturé/foulé/coupé ~ bras/jambe/poignet/cheville/doigt/dent/main
tombé/tombée ... cassé/lâché/blessé/effondr*
gonflé/gonflée/gonfle/enflé ~ ?visage/lèvres/gorge/batterie/./,
plus envie_de_vivre/vivre
médecin ~ après/à_cause/dit
respirer
""",
    "cancellation": f"""
résili*/annul*/clôtur*/fermer/fermez/cesser/supprim*/arrêt*/stopp* ~ mon/notre/mes/nos/ce/le/mon_propre ~ {CONTRACT}
je/vais/veux/souhaite/voudrais/voulons/souhaitons/comment/pour/demande/de/j_ai ~ résili*
résiliation ~ mon/de/du/immédiate
me désabonn*/désengager/désinscrire
désabonn* ?moi
chang*/quitter/changé ~ opérateur/fournisseur/banque/prestataire/assureur/crèmerie/compagnie
à_la/chez_la/vers_la/chez_un/chez_votre ~ concurrence/concurrent
concurrence/concurrent ./,/maintenant
pars/partir/passe/passer/parti/vais/aller ~ chez/à/vers ~ ?la concurrence/concurrent/autre
ne ~ renouvel*
plus/pas renouvel*/reconduire
vous quitte/quittons/quitter/laisse
perdu/perdre/perdez ~ client/cliente/clients
vous perdez
mettre/mets/mettons/mettez ~ fin ~ à/au ~ ?mon/notre {CONTRACT}
plus ~ être/rester ~ client/cliente/clients
ne ~ veux/souhaite/voulons plus ~ ?de vos/votre service/services/offre
cherche/cherchons ~ autre/nouveau ~ opérateur/fournisseur/prestataire/banque
vais/aller/passe/pars/partir/pars ~ chez/à ~ orange/sfr/free/bouygues/autre/concurrent*
désactiv*/rompre/dénoncer/interromp* ~ mon/notre/le ~ {CONTRACT}
partir ailleurs
vais/irai/voir ailleurs
""",
    "outage": f"""
{THING} ~ en panne/rade
{THING} ~ est/sont/reste/était ~ indisponible*/inaccessible*/injoignable*/hors_service/down/coupé*/mort/morte/hors_ligne/\
bloqué/planté
hors_service
en panne depuis
panne générale/totale/nationale/géante/de_réseau/depuis/internet/électrique
coupure ~ totale/générale/de_courant/internet/réseau/depuis/électricité/électrique/d_électricité
plus_rien/rien ?ne ?ne fonctionn*/march*
rien ne fonctionn*/marche/va/charge
plus/pas/aucun/aucune/sans/ni ~ internet/réseau/connexion/électricité/courant/téléphone/eau_chaude/chauffage/signal/\
ligne/tonalité
plus/pas/impossible ?de travailler
ne ~ pouvons/peux/peut/peuvent ~ pas/plus ~ travailler/vendre/encaisser/facturer
personne ~ ne ~ peut/arrive/réussit/parvient ~ se/à ~ connecter/accéder/travailler/entrer
tout ~ arrêt/arrêté/bloqué/à_l_arrêt/planté
serveur/serveurs/système/site ~ planté/tombé/ne_répond/ne_fonctionne/ne_marche/hs/bloqué
à l arrêt
plus de/d ~ réseau/internet/courant/ligne/connexion/électricité/signal
tout est ~ panne/mort/down/hors/coupé
impossible ~ de/d ~ connecter/accéder/travailler/encaisser/utiliser
plante/planté ~ ?depuis/pour/toute/./,/tous
clients ~ ne ~ peuvent
coupé/coupés/privés/privé ~ ?du depuis/monde/internet/réseau/de
""",
    "money_taken": f"""
{CHARGED} ... {TWICE}
{TWICE} ~ {CHARGED}/prélèvement/la_même_commande
double/doubles prélèvement*/débit*/facturation*/paiement*/encaissement
prélèvement*/débit/paiement*/transaction*/opération*/achat*/retrait*/débits ~ non/frauduleu*/inconnu*/pas ~ autoris*/\
reconnu*/frauduleu*/inconnu*/effectu*
prélèvement*/débit/paiement*/transaction*/opération*/achat* ~ frauduleu*/inconnu*/suspect*
sans ~ accord/autorisation/consentement/permission/prévenir ~ {CHARGED}
{CHARGED} ... sans/alors_que/indûment/à_tort
prélevé*/débité*/retiré/pris ~ sur ~ mon/notre compte
attend*/attends/pas/jamais/toujours/aucun/sans/nouvelles ... remboursement/rembours*/avoir_été_rembours*
remboursement ... refus*/jamais/pas/toujours/attente/rien
refus*/refusez ... rembours*/rendre/restituer
rende*/rendez/redonne*/rendre/récupér*/veux ~ mon/notre argent
où est/en_est ~ mon argent/remboursement
fraude/frauduleu*/frauduleuse*/frauduleusement/fraudé
été/est ~ piraté/piratée/volé/volée/escroqu*/usurp*
argent/somme ~ disparu/volé/prélev*
quelqu_un ~ utilis* ~ ma/mon carte/compte
surfactur*
voleurs/voleur/escroc/escrocs/arnaque/arnaqueurs/arnaqué/arnaquée/vol
prélev*/débit*/factur* ... résili*/annul*/jamais/pas/alors_que/malgré
deux/trois/double prélèvements/débits/paiements/prélèvement
où/quand ... rembours*/mon_argent
payé ... rien/jamais ~ reçu/livré
rendez/rembours*/remboursez ?moi ~ argent/immédiatement/maintenant/tout_de_suite
inconnu/quelqu_un ... ma_carte/mon_compte
""",
    "repeated_contact": f"""
{NTH} fois ... {TELL}
pour_la {NTH} fois ?que ,/je/./pouvez
{NTH} {LETTERS}
{TELL} ... {COUNT} fois
{TELL} ~ ?à plusieurs/maintes/de_nombreuses reprises/fois
à plusieurs reprises
{COUNT}/mes/nos ~ {LETTERS} ... aucun*/sans/rien/personne/restés/restées/ignoré*
malgré/après ~ {COUNT}/mes/nos ~ {LETTERS}
toujours/encore ~ pas/aucune/sans ~ ?de réponse/nouvelle*/retour
aucune/sans/pas/pas_de/jamais ~ réponse/retour ~ à/depuis/malgré/après/de_votre ~ {LETTERS}/semaines/mois/jours/part
personne ~ ne ~ répond/rappelle/me_répond/réagit/me_rappelle/répondu
personne répond/rappelle
ne ~ compte plus ~ {LETTERS}/fois
ne ~ répond*/rappel* ~ jamais ~ {LETTERS}/à
sans réponse ./depuis/à
vous/j_ai/ai/dois ~ relancé/relance/relancer ./,/à/plusieurs/encore
chaque_fois ... appelle
sans cesse ~ rappeler/relancer
attends/attend/attendons ... réponse/retour/rappel/nouvelles
depuis ~ semaines/mois/jours ~ {TELL}/j_attends
aucune/pas_de/toujours_pas_de/pas_eu_de nouvelles/réponse/retour
marre/fatigué/fatiguée/assez/lasse ~ de/d ~ {TELL}/répéter/attendre/relancer/rappeler
combien ~ de ~ fois/mails/appels/messages
ignor* ~ ?mes/moi/m/complètement/par
renvoyé*/baladé*/balade ~ ?de d/service/un/en
on ~ me/m/nous ~ rappelle/répond/renvoie/ignore
{TELL} ~ ?déjà deux/trois/plusieurs/2/3 fois
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
pas besoin
avocats mûrs/délicieux
salade/toast
""",
    "safety": """
joueur/joueurs/match/film/livre/jeu
feu d_artifice
saumon
""",
    "cancellation": """
annul* ~ commande/rendez_vous/réservation/vol
à_tout_moment/à_n_importe_quel_moment
""",
    "outage": """
jamais ~ panne/coupure
mieux
""",
    "money_taken": """
remboursement ~ rapide/reçu/immédiat
rembours* ~ rapidement/immédiatement/tout_de_suite/aussitôt
quel/quels délai/délais
livre/livres
""",
    "repeated_contact": """
commande/achète/commandé/viens/acheté
tout_de_suite
""",
}
