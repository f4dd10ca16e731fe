"""French."""

from services.sentiment.domain.urgency.french import NEGATIONS as NEGATIONS
from shared.events import Urgency

MONEY = "argent/remboursement/caution/acompte/avoir/somme/indemnisation/virement/dépôt"
PLACES = "magasin/magasins/bureau/bureaux/agence/agences/cabinet/entreprise/équipe/immeuble/quartier/rue/hôtel/village/boutique"
MACHINES = "caisse/caisses/terminal/terminaux/lecteur/lecteurs/imprimante/imprimantes"

URGENT: dict[Urgency, str] = {
    "legal_threat": """
assurance/protection juridique ~ prend/va/est/saisie/saisi/relais
association ~ de ~ consommateurs
dossier ~ transmis/remis/confié/envoyé ... avocat/avocate/justice/tribunal/cnil/médiateur/conciliateur/police
à_mon/à_notre/chez_mon/chez_notre avocat/avocate
dernier/dernière/ultime ~ avertissement/délai/relance ~ avant
médiateur/conciliateur ~ saisi/saisie/informé/prévenu
""",
    "safety": """
ébouillant*/brûlé*/brulé* ~ ?le/la/les/au/à_la ~ pied/main/bras/jambe/visage/doigt/doigts/peau/cuisse
pris/prend ~ feu
fumée/étincelles/flammes ~ sort/sortait/sortaient/est_sortie/jailli
glissé/tombé/tombée/trébuché ... cassé/fracture/poignet/hanche/blessé/blessée/hôpital/urgences
aux_urgences/les_pompiers/le_samu
gorge/visage/lèvres/langue ~ gonflé/gonflée/gonflées/enflé/enflée
bousculé*/attrapé*/poussé*/frappé*/giflé* ~ par/devant/mon/ma/mes/moi
électrocut*/décharge_électrique/court_circuit
failli/manqué ~ mourir/étouffer/tomber/être_renversé/brûler
""",
    "cancellation": """
fin ~ de/à mon/notre/l abonnement/contrat/adhésion/engagement
mettre/mets/mettons/mettez ~ fin ~ à ~ mon/notre/l
considérer ... comme ~ la ~ fin/résiliation
comment/où ~ faire/puis_je/peut_on/fait_on ~ pour ~ résilier/partir/quitter/arrêter
partons/pars/partirai/partirons/quitte/quittons/quitterai ~ ailleurs/concurrence/chez/votre/vous
changerai/changerons/change/changeons/changer ~ opérateur/banque/assureur/fournisseur/assurance
reprendre/reprends ~ ma_liberté/mes_contrats/mon_numéro
""",
    "outage": f"""
impossible/impossibilité ~ encaisser/vendre/travailler/facturer/ouvrir/commander ~ par/depuis/dans/ce/avec/tout/la
impossible ~ d ~ encaisser/ouvrir ... depuis/matin/hier/magasin/caisse
{MACHINES} ~ en_panne/bloquées/bloqués/hors_service/mortes/arrêtées ?depuis
plus ~ personne/rien ... marche/fonctionne/accès/connecter/travailler/entrer
personne ... {PLACES} ... peut/arrive/parvient
tout/toute/tous/toutes ~ {PLACES} ~ arrêt/bloqué/bloquée/sans/à_l_arrêt/paralysé*/hors_ligne
sans ~ eau_chaude/chauffage/électricité/courant/internet/réseau/téléphone ~ depuis
panne ~ générale/totale/complète/depuis
""",
    "money_taken": f"""
{MONEY} ... jamais/pas/toujours_pas/toujours ~ reçu/reçue/arrivé/arrivée/vu/vue/remboursé/crédité/versé/restitué
j_attends/attends/attendons/attend ~ toujours/encore ~ mon/ma/notre/le/la {MONEY}
où ~ est/sont/passe mon/ma/mes/notre {MONEY}
résilié/arrêté/annulé/clôturé ... continuez/continue/prélev*/servir/débit*/encore/toujours
continuez/continuent/continue ~ à ~ vous/me/nous/prélever/débiter/facturer/servir
servez/servir/servent ~ sur/dans ~ mon/notre compte
prélevé*/débité*/encaissé*/facturé* ... deux_fois/le_2/et_le/à_nouveau/encore/malgré/alors_que/sans
paiement/achat/débit/opération ... pas ~ de_moi/effectué/autorisé/reconnais
devez ~ toujours/encore ~ de_l/mon/notre/euros
""",
    "repeated_contact": """
silence/sans ~ radio/nouvelles/réponse ~ depuis/./,/malgré
écrit/relancé/appelé/demandé ... en ~ avril/mai/juin/juillet/août/mars ... en/et/puis ~ mai/juin/juillet/août/septembre
chaque_fois ~ tout ~ recommencer/réexpliquer/répéter
répéter/réexpliquer/raconter ~ la_même/mon_histoire/toute/cinq/dix/à_chaque
troisième/quatrième/cinquième/sixième/dixième/énième ~ mail/message/appel/relance/courrier/demande/tentative
rappeler/rappelé/rappelle ~ promis/jamais/devait
promis/promet ... rappel/rappeler/réponse ... rien/jamais/personne/toujours
trois_fois/quatre_fois/cinq_fois/dix_fois ~ que ~ je/j/nous
""",
}

UNLESS: dict[Urgency, str] = {}
