"""Portuguese."""

from shared.events import Urgency

NEGATIONS = "não nunca sem nenhum nenhuma nem jamais ninguém"
CONTRACT = (
    "assinatura/assinaturas/contrato/contratos/conta/plano/subscrição/serviço/linha/seguro/adesão/mensalidade/cartão/"
    "tarifário/licença"
)
THING = (
    "serviço/sistema/página/site/servidor/servidores/internet/app/aplicativo/aplicação/plataforma/rede/linha/portal/sinal/"
    "conexão/luz"
)
TWICE = "duas_vezes/três_vezes/2_vezes/3_vezes/em_dobro/em_duplicado/duplicado/em_duplicidade/várias_vezes"
CHARGED = "cobrado/cobrada/cobraram/cobrou/debitado/debitaram/descontado/descontaram/faturado/cobrança/cobranças/debitou"
NTH = (
    "segunda/terceira/quarta/quinta/sexta/sétima/décima/enésima/segundo/terceiro/quarto/quinto/sexto/3ª/4ª/3a/4a/enésimo/milésima"
)
COUNT = (
    "dois/duas/três/quatro/cinco/seis/sete/oito/dez/várias/vários/muitas/muitos/múltiplos/inúmeros/inúmeras/diversas/"
    "diversos/2/3/4/5"
)
LETTERS = (
    "email/emails/e_mail/e_mails/mensagem/mensagens/chamada/chamadas/reclamação/reclamações/ticket/tickets/pedido/"
    "pedidos/contacto/"
    "contactos/contato/contatos/ligação/ligações/tentativa/tentativas/protocolo/protocolos/chamado/chamados"
)
TELL = (
    "escrevo/escrevi/escrever/escrito/liguei/ligo/ligar/ligado/contact*/contat*/reclam*/peço/pedi/solicit*/report*/"
    "enviei/mandei/pergunt*/"
    "explic*/insist*/telefon*/falo/tento"
)

URGENT: dict[Urgency, str] = {
    "legal_threat": """
vou/vamos/iremos/irei/pretendo ~ processar/processá_los/processar_vocês
processar ~ empresa/vocês/loja/os_senhores
processo ~ judicial/contra/na_justiça
meu/minha/nosso/nossa/um/uma/meus advogado/advogada/advogados
advogad* ~ vai/irá/contact*/entrar
procon/deco/anatel/reclame_aqui/asae/livro_de_reclamações/defesa_do_consumidor/anacom/ministério_público
vou/vamos/iremos/irei/ir/entrar/levar/recorrer/recorro ~ à/na/com ~ justiça/tribunal/polícia
no_tribunal/nos_tribunais/ao_tribunal/em_tribunal/em_juízo/judicialmente
queixa/denúncia/boletim ~ polícia/ocorrência/crime/contra
medidas/ações/ação/acção/acções/providências/vias/via/meios legais/judiciais/legal/judicial
denunci*/denunciar ~ polícia/vocês/empresa/autoridades
tribunal/tribunais/juiz/justiça ~ ./,/se/contra/para/por/e
recorrer/recorro/recorrerei/levar ~ a/ao/aos/à ~ tribunal/tribunais/justiça/juiz
danos_morais/indemnização/indenização/notificação_extrajudicial/advogados
""",
    "safety": """
pegou/pegando/apanhou/pegar fogo
em chamas/fogo
incendi*/incêndio
sai/saiu/saindo/sair/saía/soltando/deitou/deita/soltou ~ fumaça/fumo
fumaça/fumo ~ sai/saiu/saindo/do/preto/preta
choque/descarga elétric*/eléctric*
levei/levou/apanhei/tomei um choque
eletrocut*
reação/reacção/choque/reações alérgic*
queim* ~ mão/mãos/dedo/dedos/braço/rosto/pele/perna
me queimei/queimou
queimei_me/queimou_se
queimadura/queimaduras
explod*/explodiu/explosão/estourou
feriu/ferido/ferida/machuc*/feriu_se/magoou/lesion*/aleijou
ao_hospital/no_hospital/urgências/pronto_socorro/hospitaliz*/emergência_médica
ambulância/bombeiros
intoxicad*/intoxicação/envenen*
suicíd*/suicid*/me_matar/tirar_a_minha_vida/acabar_com_a_minha_vida
freios/travões ~ falh*/não
ameaç*/agredi*/agrediu/me_bateu
cheiro/cheira ~ gás/queimado
fuga/vazamento ~ gás
monóxido
urticária/erupção/bolhas
engasg*/sufoc*
faísca*/curto_circuito/faíscas
perigos*/perigo
vidro/vidros/metal ~ na/no ~ comida/iogurte/sopa/pão
em_chamas/ardeu/queimaduras
vomit*/vómitos/diarreia/intoxicou/desmaiei/desmaiou
parti/partiu/quebrei/quebrou/cortei/cortou/fraturei ~ braço/perna/mão/pulso/dente/dedo/pé
inchou/inchado/inchada/incharam
não ~ respirar
não quero ~ viver
agrediu/assediou/assediada/bateu ~ me/minha/meu/em
""",
    "cancellation": f"""
cancel*/cancelar/encerr*/rescind*/termin*/elimin*/exclu*/apag*/fech* ~ meu/minha/nosso/nossa/o/a/este/esta ~ {CONTRACT}
rescind*/rescisão/denunciar ~ contrato
mudar/mudo/trocar/troco/mudando/trocando ~ de ~ operadora/banco/fornecedor/empresa/companhia/seguradora/provedor
vou/ir/passo/passar/migrar/indo ~ concorrência/concorrente/outra_operadora/outra_empresa/outro_banco
não ~ renov*
perd*/perderam/perdem ~ client*
deixar_de_ser client*
portabilidade
cancelamento ~ do/da ~ {CONTRACT}
não ~ quero/desejo ~ ?ser ?mais client*/serviço/continuar
deixar/deixo/abandonar ~ ?a ?de ser/vossa/empresa/banco/serviço/cliente
procur*/procurando ~ outra/outro/novo/nova ~ operadora/banco/fornecedor/empresa
vou ~ para ~ vodafone/nos/meo/claro/vivo/tim/outra/outro
pôr_fin/pôr_fim/desistir/encerramento ~ do/da/ao/meu/minha ~ {CONTRACT}
""",
    "outage": f"""
{THING} ~ fora_do_ar/indisponível/inacessível/em_baixo/parado/parada/offline/inoperante/travado/sem_funcionar
fora do_ar/de_serviço
{THING} ~ caiu/caíram/cai
caiu/caíram ~ {THING}
indisponível desde/há
não ~ consigo/conseguimos/podemos/posso/consegue/dá ~ ?de trabalhar/vender/faturar/operar
impossível trabalhar
sem/não_há/não_tenho/não_temos ~ internet/rede/luz/sinal/linha/conexão/ligação/água_quente/sistema/energia/serviço
ninguém ~ consegue/pode ~ entrar/aceder/acessar/ligar/trabalhar/conectar
apagão/falha_geral/queda_de_energia/corte_de_energia
nada funciona
não funciona nada
tudo/empresa/loja/produção ~ parado/parada
{THING} não ~ funciona/responde/carrega/abre
error/erro 500/502/503
{THING} ~ não ~ funciona/abre/carrega/responde/liga
tudo ~ fora/em_baixo/morto/desligado
clientes ~ não ~ conseguem/podem
há ~ horas/dias ~ sem
""",
    "money_taken": f"""
{CHARGED} ... {TWICE}
{TWICE} ~ {CHARGED}
cobrança/débito/pagamento ~ duplicad*/em_dobro/dupla/duplo/em_duplicado
dupla/duplo cobrança/débito/pagamento
cobrança/cobranças/débito/compra/compras/transação/transações/pagamento/movimento ~ não ~ autoriz*/reconhec*/fiz/solicit*
cobrança/cobranças/débito/compra/compras/transação/transações ~ indevid*/fraudulent*/desconhecid*/suspeit*
{CHARGED} ... sem ~ autorização/permissão/consentimento/avisar/minha
sem ~ autorização/permissão/consentimento ... {CHARGED}
não/nunca ~ reconheço/autorizei ~ cobrança/compra/débito/pagamento
não/ainda/nunca/espera/aguardo/esperando/espero/sem ... reembols*/devolução/devolv*/estorno/meu_dinheiro
recusam_se/recusam/recusa/negam/recusou ... reembols*/devolv*/dinheiro/estorno
quero/devolv*/devolvam/exijo ~ meu/nosso dinheiro
onde está ~ meu dinheiro/reembolso
fraude/fraudulent*/um_golpe/burla/burlado/burlada/clonado/clonaram/clonada
roubaram/hackearam/furtaram/invadiram ~ meu/minha/a_minha
conta/cartão ~ hackeada/hackeado/roubado/roubada/invadida
alguém ~ usou/utiliz*/comprou/acessou ~ minha/meu/a_minha ~ conta/cartão
tiraram/retiraram/levantaram/sacaram ~ dinheiro ?da
cobraram ~ a_mais/indevid*
ladrões/ladrão/roubo/golpe/burlões/vigaristas/golpistas
{CHARGED} ... não/nunca/cancel*
duas/três/dupla cobranças/cobrança
onde/quando ... meu_dinheiro/reembolso/estorno/devolução
paguei/pago ... não/nunca/nada ~ receb*/chegou
desconhecido/alguém ... meu_cartão/minha_conta/o_meu_cartão/a_minha_conta
""",
    "repeated_contact": f"""
{NTH} vez ... {TELL}
pela {NTH} vez ~ {TELL}/,/que
{NTH} {LETTERS}
{TELL} ... {COUNT} vezes
{COUNT} vezes ~ ?que ~ {TELL}
{TELL} ~ repetid*/repetidamente
{COUNT} ~ {LETTERS} ... sem/ninguém/nenhuma/não/nada
depois/após/apesar ~ {COUNT} {LETTERS}
sem ~ resposta/retorno
ninguém ~ respond*/me_responde/atende/me_liga/retorna
não ~ respond* ~ às/aos/minhas/meus ~ {LETTERS}
não ~ receb*/recebi/tive/obtive ~ resposta/retorno
nenhuma resposta
cada_vez/sempre ... ligo
ando/estou ~ semanas/meses/dias ~ tentar/pedir/ligar
espero/espera/aguardo/esperando/aguardando ... resposta/retorno/contacto/contato
farto/farta/cansado/cansada ~ de ~ {TELL}/ligar/repetir/esperar/escrever
quantas/quantos ~ vezes/emails/mensagens/e_mails
me/sou/sendo ~ ignor*/ignorado/ignorada/ignoram
ninguém ~ ajuda/resolve/contacta/faz/liga
há ~ semanas/meses/dias ~ que ~ {TELL}/espero/tento
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
não ~ foi_preciso
""",
    "safety": """
jogador/jogadores/partida/filme/jogo
sabor
""",
    "cancellation": """
cancel* ~ pedido/reserva/consulta/voo/encomenda
a_qualquer_momento
feliz ~ convosco/com_vocês
""",
    "outage": """
nunca ~ caiu
melhor
""",
    "money_taken": """
reembolso ~ chegou/rápido
quanto/quantos tempo/dias
rapidamente
""",
    "repeated_contact": """
compro/comprei/encomend*
bem ~ atendido/atendida
""",
}
