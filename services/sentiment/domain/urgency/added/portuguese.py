"""Portuguese."""

from services.sentiment.domain.urgency.portuguese import NEGATIONS as NEGATIONS
from shared.events import Urgency

MONEY = "dinheiro/reembolso/devolução/caução/estorno/depósito/indemnização/indenização/valor"
PLACES = "escritório/loja/lojas/equipa/equipe/empresa/clínica/bairro/prédio/rua/hotel/armazém/filial/consultório"
MACHINES = "caixa/caixas/terminal/terminais/maquininha/maquininhas/multibanco/impressora/impressoras"

URGENT: dict[Urgency, str] = {
    "legal_threat": """
vou/vamos/irei/iremos/recorro ~ ao/à/para_o/para_a ~ procon/deco/tribunal/justiça/polícia/provedor/anatel/juizado
caso/processo/assunto ~ entregue/entreguei/com/nas_mãos ~ ?do/da/ao/à ~ advogad*/justiça
último/última ~ aviso/oportunidade ~ antes
livro ~ de ~ reclamações
juizado/pequenas_causas/notificação_extrajudicial/anpd/cnpd
""",
    "safety": """
deu/levei/levou/dá ~ choque/choques
queimou/queimei/queimado/queimada/derreteu ~ ?a/o/os/as/minha/meu ~ mão/braço/perna/cara/dedo/dedos/pele/pé/mesa/tapete/cama/\
tomada/filho/filha
saiu/sai/saía/saindo/deitou ~ fumo/fumaça/faíscas/chamas
escorreg*/caí/caiu/tropecei/tropeçou ... partiu/quebrou/fraturou/pulso/anca/hospital/urgência
garganta/lábios/cara/língua ~ inchou/inchada/inchados/fechou
empurrou/agarrou/bateu/ameaçou/cuspiu ~ em/me/o/a/meu/minha
quase/por_pouco ~ morri/morreu/sufocou/engasgou/atropelou/pegou_fogo
""",
    "cancellation": """
quero/queremos/desejo/pretendo ~ encerrar/terminar/fechar/cessar ~ a/o/minha/meu/conta/contrato ?conta/contrato/assinatura
encerrar/encerrem/fechem/terminem/cancelem ~ a/o/minha/meu ~ ?minha/meu ~ conta/contrato/assinatura/plano
como/onde ~ faço/posso/se/é_que ~ para ~ sair/cancelar/encerrar/rescindir
vou/vamos ~ mudar/sair/embora/trocar ~ de/para/daqui ~ ?outra/outro/a_concorrência/operadora/banco/seguradora
mudo/mudamos/troco/trocamos ~ de ~ operadora/banco/seguradora/fornecedor
portabilidade/rescisão
última ~ fatura/mensalidade/compra ~ que
""",
    "outage": f"""
toda/todo/inteiro/inteira ~ {PLACES} ~ parado/parada/sem/bloqueado/bloqueada
{PLACES} inteiro/inteira/todo/toda ~ sem/parado/parada/às_escuras
{MACHINES} ~ não/sem/parados/paradas/mortos ~ funcionam/aceitam/ligação/passam/sistema
ninguém ~ no/na/do/da ... {PLACES} ... consegue/pode
não ~ conseguimos/consigo/conseguem/dá_para ~ vender/trabalhar/atender/cobrar/faturar/abrir ./,/desde/a/por/na/no
sem ~ luz/água/aquecimento/internet/rede/telefone/água_quente/sinal ~ desde
apagão/queda_geral/falha_geral/fora_do_ar
""",
    "money_taken": f"""
{MONEY} ... nunca/não/ainda_não ~ chegou/chega/devolvido/devolvem/recebi/caiu/vi/apareceu
onde ~ está/anda/ficou ~ o_meu/meu/o_nosso {MONEY}
continuo/sigo/estou/estamos/ando ~ à_espera/esperando/a_esperar ... {MONEY}
descontaram/debitaram/cobraram/tiraram/levaram ... duas_vezes/de_novo/outra_vez/sem/depois/apesar/mesmo/e_ninguém/em_dobro
compra/pagamento/débito/movimento/cobrança ... não_reconheço/não_fiz/não_é_meu/não_autorizei/não_fui_eu
continuam/continua ~ a_cobrar/cobrando/a_debitar/debitando/a_descontar/descontando
cancelei/cancelado/encerrei ... continuam/cobrança/cobram/débito/debitam
devem/deve ~ me/nos ~ ?ainda/dinheiro/euros/reais
""",
    "repeated_contact": """
já ~ mandei/enviei/liguei/pedi/escrevi/expliquei ... três/quatro/cinco/seis/dez/várias/mil ~ vezes
por ~ duas/três/quatro/cinco/seis/várias vezes ... pedem/pedir/novamente/outra_vez/de_novo/e
terceiro/quarto/quinto/sexto/décimo/enésimo ~ email/e_mail/pedido/contacto/contato/chamado/protocolo
terceira/quarta/quinta/sexta/décima/enésima ~ mensagem/ligação/chamada/reclamação/vez ~ que
cada_vez/sempre ~ tenho/é_preciso ~ de/que ~ explicar/contar/começar/repetir
repetir/repito/contar/explicar ~ a_mesma/o_mesmo ~ ?história/vez/a
prometem/prometeram/dizem ... ligar/ligam/responder/respondem ... nada/nunca/ninguém
sem ~ resposta ~ a/às/aos ~ meus/minhas/nenhum/nenhuma
pedem/pediram ~ na/no/a_mesma/o_mesmo ~ outra_vez/de_novo/novamente
""",
}

UNLESS: dict[Urgency, str] = {}
